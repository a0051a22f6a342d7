"""Serialise tf.train.Example without TensorFlow: the record format of a TFDS data set.

Messages: Example{1: Features}, Features{1: map<string, Feature>}, Feature{1: BytesList, 2: FloatList,
3: Int64List}, each list {1: repeated value}. Numbers are packed.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

Value = Sequence[bytes] | np.ndarray  # bytes list, float32 [n] or int64 [n]

_BYTES, _FLOAT, _INT = 1, 2, 3
_MASK = (1 << 64) - 1


def encode_example(features: Mapping[str, Value]) -> bytes:
    """Serialise ``{name: bytes list | float array | integer array}``.

    Names are sorted, so equal features give equal bytes.
    """
    entries = []
    for name in sorted(features):
        entry = _field(1, name.encode()) + _field(2, _encode_feature(features[name]))
        entries.append(_field(1, entry))
    return _field(1, b"".join(entries))


def decode_example(record: bytes, names: frozenset[str] | None = None) -> dict[str, Value]:
    """Parse a record; with ``names`` only those features.

    Raises:
      ValueError: a broken record.
    """
    out: dict[str, Value] = {}
    try:
        view = memoryview(record)
        for _, features in _fields(view):
            for _, entry in _fields(features):
                parts = dict(_fields(entry))
                name = bytes(parts[1]).decode()
                if names is None or name in names:
                    out[name] = _decode_feature(parts.get(2, memoryview(b"")))
    except (IndexError, KeyError, struct.error) as error:
        raise ValueError(f"not a tf.train.Example record: {error!r}") from error
    return out


def _varint(value: int) -> bytes:
    value &= _MASK
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    """Serialise a length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _encode_feature(value: Value) -> bytes:
    if isinstance(value, np.ndarray):
        if np.issubdtype(value.dtype, np.floating):
            return _field(_FLOAT, _field(1, value.astype("<f4").tobytes()))
        return _field(_INT, _field(1, b"".join(_varint(int(v)) for v in value)))
    return _field(_BYTES, b"".join(_field(1, item) for item in value))


def _read_varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _fields(view: memoryview) -> list[tuple[int, memoryview]]:
    """Return (number, payload) of the length-delimited fields of a message."""
    out, at = [], 0
    while at < len(view):
        key, at = _read_varint(view, at)
        if key & 7 != 2:
            raise ValueError(f"not a tf.train.Example record: wire type {key & 7}")
        size, at = _read_varint(view, at)
        out.append((key >> 3, view[at : at + size]))
        at += size
    return out


def _decode_feature(view: memoryview) -> Value:
    fields = _fields(view)
    if not fields:
        return []
    kind, payload = fields[0]
    if kind == _BYTES:
        return [bytes(item) for _, item in _fields(payload)]
    packed = b"".join(bytes(item) for _, item in _fields(payload))
    if kind == _FLOAT:
        return np.frombuffer(packed, "<f4")
    return _unpack_ints(memoryview(packed))


def _unpack_ints(view: memoryview) -> np.ndarray:
    values, at = [], 0
    while at < len(view):
        value, at = _read_varint(view, at)
        values.append(value - (1 << 64) if value >> 63 else value)
    return np.asarray(values, np.int64)
