"""Table of a split's captions for the views: token ids and, optionally, precomputed features.

It is computed once, when a data set is opened, so workers need neither tokenizer nor network.

Legend: T texts, N tokens, M rows of a text's features at most, C their width.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

_CHUNK = 1024  # texts tokenised at a time


class TokenizeFn(Protocol):
    """Tokenise texts -> (ids int32 [n, max_tokens], mask bool [n, max_tokens])."""

    def __call__(self, texts: Sequence[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]: ...


class FeatureRows:
    """Read features of T texts from a file, a float32 array [sum of counts, C], through a memory map.

    counts: int [T], the rows of each text. A pickled copy opens the file again, so workers share its pages
    and no array is sent to them.

    Raises:
      ValueError: the file holds another number of rows.
    """

    def __init__(self, path: Path, counts: np.ndarray, longest: int) -> None:
        """Open the file. longest: M, to which ``__call__`` pads."""
        self._path, self._longest = path, longest
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        if self._rows.ndim != 2 or len(self._rows) != self._starts[-1]:
            raise ValueError(
                f"{path} holds {self._rows.shape}, not {self._starts[-1]} rows: delete it"
            )

    @functools.cached_property
    def _rows(self) -> np.ndarray:
        return np.load(self._path, mmap_mode="r", allow_pickle=False)

    def __call__(self, text: int) -> np.ndarray:
        """Return the features of text number ``text``, zero-padded: float32 [M, C]."""
        start, end = self._starts[text], self._starts[text + 1]
        padded = np.zeros((self._longest, self._rows.shape[1]), np.float32)
        padded[: end - start] = self._rows[start:end]
        return padded

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_rows"}


# Token ids [T, N] and mask [T, N] of all texts -> their features.
Encode = Callable[[np.ndarray, np.ndarray], FeatureRows]


class TextTable:
    """Tokenise every caption of a split once and, with ``encode``, encode it once."""

    def __init__(
        self,
        texts: Sequence[str],
        tokenizer: TokenizeFn,
        max_tokens: int,
        encode: Encode | None = None,
    ) -> None:
        self._row = {text: i for i, text in enumerate(texts)}
        parts = [
            tokenizer(list(texts[i : i + _CHUNK]), max_tokens) for i in range(0, len(texts), _CHUNK)
        ]
        self._ids = np.concatenate([np.asarray(ids, np.int32) for ids, _ in parts])
        self._mask = np.concatenate([np.asarray(mask, bool) for _, mask in parts])
        self._features = encode(self._ids, self._mask) if encode else None

    def __call__(self, text: str) -> dict[str, np.ndarray]:
        """Look up a text: {"text_ids": int32 [N], "text_mask": bool [N]}.

        With features also "text_features": float32 [M, C].
        """
        row = self._row[text]
        found = {"text_ids": self._ids[row], "text_mask": self._mask[row]}
        if self._features is not None:
            found["text_features"] = self._features(row)
        return found
