"""Read the tokenizers that lie beside public weights."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors

FILE = "tokenizer.json"
ROBERTA_FILES = ("vocab.json", "merges.txt")  # as older models have them in place of FILE
_ROBERTA_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def read_tokenizer(folder: Path, vocab: int) -> dict[str, bytes]:
    """Read the tokenizer's file, on one line and without its own padding and truncation.

    Raises:
      FileNotFoundError: there is none.
      ValueError: it is no fast tokenizer, or has ids beyond the ``vocab`` rows of the model.
    """
    described = {**read_json(folder, FILE), "padding": None, "truncation": None}
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"))
    try:
        tokenizer = tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(
            f"{folder}/{FILE} is not a fast tokenizer's file: download it again"
        ) from error
    return _checked(tokenizer, text, folder / FILE, vocab)


def read_roberta_tokenizer(folder: Path, vocab: int) -> dict[str, bytes]:
    """Read RoBERTa's tokenizer: its tokenizer.json, or make one of vocab.json and merges.txt.

    Raises as ``read_tokenizer`` does.
    """
    names = [folder / name for name in ROBERTA_FILES]
    if (folder / FILE).is_file() or not all(name.is_file() for name in names):
        return read_tokenizer(folder, vocab)
    try:
        tokenizer = tokenizers.Tokenizer(models.BPE.from_file(*map(str, names)))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"{names[0]} and {names[1]} do not fit: download them again") from error
    ids = tokenizer.get_vocab()
    if missing := [token for token in _ROBERTA_SPECIAL if token not in ids]:
        raise ValueError(f"{names[0]} lacks {', '.join(missing)}: it is not RoBERTa's")
    tokenizer.add_special_tokens(list(_ROBERTA_SPECIAL))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", ids["</s>"]), ("<s>", ids["<s>"]), trim_offsets=True, add_prefix_space=False
    )
    return _checked(tokenizer, tokenizer.to_str(), names[0], vocab)


def has_tokenizer(folder: Path) -> bool:
    """Return whether ``read_roberta_tokenizer`` finds its files in a folder."""
    return (folder / FILE).is_file() or all((folder / name).is_file() for name in ROBERTA_FILES)


def read_json(folder: Path, name: str) -> Mapping[str, Any]:
    """Read a JSON object of a model folder. Raises FileNotFoundError or ValueError."""
    if not (folder / name).is_file():
        raise FileNotFoundError(f"{folder} has no {name}: give the folder of a Hugging Face model")
    try:
        content = json.loads((folder / name).read_bytes())
    except ValueError as error:  # of the encoding, or of JSON
        raise ValueError(f"{folder}/{name} is not JSON: download it again") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"{folder}/{name} maps no names to values: download it again")
    return content


def _checked(
    tokenizer: tokenizers.Tokenizer, text: str, path: Path, vocab: int
) -> dict[str, bytes]:
    if max(tokenizer.get_vocab(with_added_tokens=True).values(), default=0) >= vocab:
        raise ValueError(f"{path} has more tokens than the model's {vocab}: give the model's own")
    return {FILE: text.encode("utf-8")}
