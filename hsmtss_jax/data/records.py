"""Write and read data sets on disk: ArrayRecord files in the TFDS layout, without TensorFlow.

    ROOT/features.json, dataset_info.json          what TFDS needs (tfds.builder_from_directory(ROOT))
    ROOT/NAME-SPLIT.array_record-00000-of-00002    records: tf.train.Example, one a group, uncompressed
    ROOT/index-SPLIT.jsonl                         the other fields, and the number of samples

Audio is int16 at 16 kHz, features are float16; both are flat and stored as raw bytes (a TFDS Tensor with
``encoding="bytes"``; TFDS' Audio feature cannot be built without TensorFlow, and a list of 64-bit varints
would be five times larger).
"""

import dataclasses
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from array_record.python import array_record_module
from array_record.python.array_record_data_source import ArrayRecordDataSource

from hsmtss_jax.atomic import current_folder, replace_folder
from hsmtss_jax.data.example_proto import decode_example, encode_example

OPTIONS = "group_size:1,uncompressed"  # int16 audio hardly compresses, and reading is twice as fast

Kind = Literal["audio", "features", "text", "texts", "int", "float"]
Fields = Mapping[str, Kind]
Record = Mapping[str, Any]

_RAW: Mapping[str, str] = {"audio": "int16", "features": "float16"}  # kind -> type of its raw bytes

_TFDS = "tensorflow_datasets.core.features"
_TEXT = {"pythonClassName": f"{_TFDS}.text_feature.Text", "text": {}}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """Hold the description of a data set, for dataset_info.json."""

    name: str
    description: str
    version: str = "1.0.0"
    licence: str = ""
    citation: str = ""


@dataclasses.dataclass(frozen=True)
class Split:
    """Hold the records of a split and their number."""

    size: int
    records: Iterable[Record]


def write_dataset(
    root: str | os.PathLike,
    card: DatasetCard,
    fields: Fields,
    splits: Mapping[str, Split],
    *,
    per_shard: int = 2048,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a data set beside ``root`` and move it there when complete, replacing what was there.

    Raises ValueError when a split yields another number of records than it announced, or a record lacks
    a field.

    Args:
      root: the folder.
      card: name, licence and the like.
      fields: name -> type of a record's values.
      splits: the records by name of the split.
      per_shard: records of a file.
      extra: further text files, name -> content.
    """
    with replace_folder(root) as work:
        lengths = {
            name: _write_split(work, card.name, name, split, fields, per_shard)
            for name, split in splits.items()
        }
        describe_dataset(work, card, fields, lengths)
        for name, text in (extra or {}).items():
            (work / name).write_text(text, encoding="utf-8")


def _write_split(
    root: Path, dataset: str, name: str, split: Split, fields: Fields, per_shard: int
) -> list[int]:
    """Write a split's files and its index; return the number of records of each file."""
    count = max(1, -(-split.size // per_shard))
    edges = [split.size * i // count for i in range(count + 1)]
    lengths = [b - a for a, b in itertools.pairwise(edges)]
    records, written = iter(split.records), 0
    with open(root / index_name(name), "w", encoding="utf-8") as index:
        for shard, length in enumerate(lengths):
            path = root / shard_name(dataset, name, shard, count)
            rows = write_shard(path, itertools.islice(records, length), fields)
            index.writelines(index_line(row) for row in rows)
            written += len(rows)
    if written != split.size or next(records, None) is not None:
        raise ValueError(f"split {name!r} announced {split.size} records, it has another number")
    return lengths


def write_shard(path: Path, records: Iterable[Record], fields: Fields) -> list[dict[str, Any]]:
    """Write one file of records; return what the index says of each."""
    writer = array_record_module.ArrayRecordWriter(str(path), OPTIONS)
    rows = []
    for record in records:
        writer.write(encode_example(_to_features(record, fields)))
        rows.append(_index_row(record, fields))
    writer.close()
    return rows


def describe_dataset(
    root: Path, card: DatasetCard, fields: Fields, lengths: Mapping[str, Sequence[int]]
) -> None:
    """Write features.json and dataset_info.json. lengths: split -> number of records of each file."""
    infos = [_split_info(root, card.name, name, sizes) for name, sizes in lengths.items()]
    (root / "features.json").write_text(json.dumps(_features_json(fields), indent=1))
    (root / "dataset_info.json").write_text(json.dumps(_info_json(card, infos), indent=1))


def shard_name(dataset: str, split: str, number: int, count: int) -> str:
    """Return the name of a split's file ``number`` of ``count``."""
    return f"{dataset}-{split}.array_record-{number:05d}-of-{count:05d}"


def index_name(split: str) -> str:
    """Return the name of a split's index."""
    return f"index-{split}.jsonl"


def index_line(row: Mapping[str, Any]) -> str:
    """Return a record's line of the index."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def _split_info(root: Path, dataset: str, name: str, lengths: Sequence[int]) -> dict[str, Any]:
    size = sum(p.stat().st_size for p in root.glob(f"{dataset}-{name}.array_record-*"))
    return {
        "name": name,
        "numBytes": str(size),
        "shardLengths": [str(length) for length in lengths],
        "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
    }


def _to_features(record: Record, fields: Fields) -> dict[str, Any]:
    missing = [name for name in fields if name not in record]
    if missing:
        raise ValueError(f"record {record.get('id', '?')!r} lacks {', '.join(missing)}")
    return {name: _to_value(record[name], kind) for name, kind in fields.items()}


def _to_value(value: Any, kind: Kind) -> Any:
    if kind in _RAW:
        if value.dtype != _RAW[kind] or value.ndim != 1:
            raise ValueError(
                f"{kind} must be {_RAW[kind]} and flat, got {value.dtype} {value.shape}"
            )
        return [value.astype(value.dtype.newbyteorder("<")).tobytes()]
    if kind == "text":
        return [value.encode()]
    if kind == "texts":
        return [item.encode() for item in value]
    return np.asarray([value], np.int64 if kind == "int" else np.float32)


def _index_row(record: Record, fields: Fields) -> dict[str, Any]:
    row = {name: record[name] for name, kind in fields.items() if kind not in _RAW}
    audio = next((name for name, kind in fields.items() if kind == "audio"), None)
    return row | ({} if audio is None else {"samples": len(record[audio])})


def _features_json(fields: Fields) -> dict[str, Any]:
    features = {name: _feature_json(kind) for name, kind in sorted(fields.items())}
    return {
        "pythonClassName": f"{_TFDS}.features_dict.FeaturesDict",
        "featuresDict": {"features": features},
    }


def _feature_json(kind: Kind) -> dict[str, Any]:
    if kind == "text":
        return _TEXT
    if kind == "texts":
        name = f"{_TFDS}.sequence_feature.Sequence"
        return {"pythonClassName": name, "sequence": {"feature": _TEXT, "length": "-1"}}
    if kind in _RAW:
        tensor = {"shape": {"dimensions": ["-1"]}, "dtype": _RAW[kind], "encoding": "bytes"}
        return {"pythonClassName": f"{_TFDS}.tensor_feature.Tensor", "tensor": tensor}
    tensor = {"shape": {}, "dtype": "int32" if kind == "int" else "float32", "encoding": "none"}
    return {"pythonClassName": f"{_TFDS}.scalar.Scalar", "tensor": tensor}


def _info_json(card: DatasetCard, splits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": card.name,
        "version": card.version,
        "description": card.description,
        "citation": card.citation,
        "redistributionInfo": {"license": card.licence},
        "fileFormat": "array_record",
        "splits": list(splits),
    }


def read_kinds(root: str | os.PathLike) -> dict[str, Kind]:
    """Read the kinds of a data set's fields.

    Raises:
      OSError: it is not prepared.
      ValueError: a field is of a kind that this reader does not know.
    """
    path = current_folder(root) / "features.json"
    if not path.is_file():
        raise OSError(
            f"no prepared data set in {root}: run its prepare.py (or hsmtss precompute) first"
        )
    try:
        features = dict(json.loads(path.read_bytes())["featuresDict"]["features"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} describes no data set: prepare it again") from error
    return {name: _kind_of(name, spec) for name, spec in features.items()}


def _kind_of(name: str, spec: Mapping[str, Any]) -> Kind:
    if "text" in spec:
        return "text"
    if "sequence" in spec and "text" in spec["sequence"].get("feature", {}):
        return "texts"
    tensor = spec.get("tensor", {})
    shape = tensor.get("shape", {}).get("dimensions", [])
    if tensor.get("encoding") == "bytes" and shape == ["-1"]:
        for kind in ("audio", "features"):
            if tensor.get("dtype") == _RAW[kind]:
                return kind
    if not shape and tensor.get("dtype") in ("int32", "int64", "float32"):
        return "float" if tensor["dtype"] == "float32" else "int"
    raise ValueError(f"field {name!r} of the data set has an unknown kind; prepare it again")


class RecordReader:
    """Read records of a split by index. Picklable; safe to use from several threads."""

    def __init__(self, root: str | os.PathLike, split: str) -> None:
        """Open a split. Raises OSError when data set or split are missing, or files are cut short."""
        self.kinds = read_kinds(root)
        paths = sorted(str(p) for p in current_folder(root).glob(f"*-{split}.array_record-*"))
        if not paths:
            raise OSError(f"no split {split!r} in {root}")
        try:
            self._source = ArrayRecordDataSource(paths)
        except RuntimeError as error:
            raise OSError(f"split {split!r} of {root} is damaged: prepare it again") from error

    def __len__(self) -> int:
        return len(self._source)

    def read(self, index: int, names: frozenset[str] | None = None) -> dict[str, Any]:
        """Read record ``index`` (all fields, or those in ``names``); audio int16, features float16, flat."""
        features = decode_example(self._source[index], names)
        return {name: _from_value(value, self.kinds[name]) for name, value in features.items()}


def _from_value(value: Any, kind: Kind) -> Any:
    if kind in _RAW:
        dtype = np.dtype(_RAW[kind]).newbyteorder("<")
        return np.frombuffer(value[0] if value else b"", dtype)
    if kind == "text":
        return value[0].decode() if value else ""
    if kind == "texts":
        return [item.decode() for item in value]
    return value[0].item()


def read_index(root: str | os.PathLike, split: str) -> list[dict[str, Any]]:
    """Read every record's fields without audio and features, in order.

    Scans the records when there is no index file (a data set written by other tools).
    """
    path = current_folder(root) / index_name(split)
    if path.is_file():
        try:
            with open(path, encoding="utf-8") as lines:
                return [dict(json.loads(line)) for line in lines]
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is damaged: prepare the data set again") from error
    return list(_scan(RecordReader(root, split)))


def _scan(reader: RecordReader) -> Iterator[dict[str, Any]]:
    raw = {name for name, kind in reader.kinds.items() if kind in _RAW}
    audio = sorted(name for name in raw if reader.kinds[name] == "audio")
    for i in range(len(reader)):
        record = reader.read(i)
        samples = {"samples": len(record[audio[0]])} if audio else {}
        yield {name: value for name, value in record.items() if name not in raw} | samples
