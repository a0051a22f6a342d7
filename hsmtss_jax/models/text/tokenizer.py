"""Convert text to token ids of static shape, by the tokenizer of a bundle.

A training batch always has the config's ``max_text_tokens``: all processes must run one program, and no
process knows the length of the captions that the others have drawn. Elsewhere ``sampling.trim_text``
shortens a batch.

Legend: B texts, N tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

import numpy as np
from tokenizers import Tokenizer as FastTokenizer

from hsmtss_jax.task import TASKS

_FILE = "tokenizer.json"

END = "<|endoftext|>"  # GPT-2's only special token
_PAD_TOKENS = ("<pad>", "[PAD]", END)


class HasFiles(Protocol):
    """Describe the part of a bundle that a tokenizer needs: its extra files by name."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """Return name -> content."""


class Tokenizer:
    """Tokenise texts, padded to a fixed length. Picklable: workers rebuild it from its JSON.

    source: the text of a ``tokenizer.json``.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        try:
            self._fast = FastTokenizer.from_str(source)
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(
                f"{_FILE} is not a fast tokenizer's file: download it again"
            ) from error
        self._fast.no_padding()
        self._fast.no_truncation()
        self._limit = 0
        pads = [self._fast.token_to_id(token) for token in _PAD_TOKENS]
        self.pad_id = next((pad for pad in pads if pad is not None), -1)
        if self.pad_id < 0:
            raise ValueError(f"the tokenizer has no padding token: expected one of {_PAD_TOKENS}")

    @classmethod
    def from_bundle(cls, bundle: HasFiles) -> Self:
        """Create the tokenizer of a text encoder's or GPT-2's bundle; ValueError if it holds none."""
        if _FILE not in bundle.files:
            raise ValueError(f"the bundle has no {_FILE}: prepare it again")
        return cls(bytes(bundle.files[_FILE]).decode("utf-8"))

    @property
    def vocab(self) -> int:
        """Return the number of token ids, special tokens included."""
        return self._fast.get_vocab_size(with_added_tokens=True)

    def __call__(self, texts: Sequence[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokenise texts -> ids int32 [B, max_tokens] and mask bool [B, max_tokens] (True = token).

        Special tokens (BERT's [CLS] and [SEP], T5's </s>) are included and survive truncation.
        """
        if self._limit != max_tokens:
            self._fast.enable_truncation(max_tokens)
            self._limit = max_tokens
        ids = np.full((len(texts), max_tokens), self.pad_id, np.int32)
        mask = np.zeros((len(texts), max_tokens), np.bool_)
        for row, text in enumerate(texts):  # encode_batch would start threads in forked workers
            tokens = self._fast.encode(text).ids
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = True
        return ids, mask

    def task_ids(self, task: str) -> np.ndarray:
        """Return the ids of a task word ("extract" or "remove") without special tokens: int32 [L]."""
        if task not in TASKS:
            raise ValueError(f"unknown task {task!r}: use one of {', '.join(TASKS)}")
        return np.asarray(self._fast.encode(task, add_special_tokens=False).ids, np.int32)

    def decode(self, ids: Sequence[int]) -> str:
        """Convert ids to text, without special tokens."""
        return self._fast.decode([int(i) for i in ids], skip_special_tokens=True)

    def __getstate__(self) -> str:
        return self._source

    def __setstate__(self, source: str) -> None:
        self.__init__(source)  # type: ignore[misc]


class CausalTokenizer(Tokenizer):
    """Tokenise texts for GPT-2: each is followed by the end token, which also pads under a False mask.

    A text cut at max_tokens has no end token.

    Raises:
      ValueError: the tokenizer has no end token.
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        end = self._fast.token_to_id(END)
        if end is None:
            raise ValueError(f"the tokenizer has no {END}: it is not GPT-2's")
        self.end_id = self.pad_id = int(end)

    def __call__(self, texts: Sequence[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokenise texts -> ids int32, mask bool, both [B, max_tokens] (True = token, end included)."""
        return super().__call__([text + END for text in texts], max_tokens)
