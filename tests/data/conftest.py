"""The tiny corpus once a session, and a tokenizer of words."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hsmtss_jax.config import DataConfig
from hsmtss_jax.testing.corpus import write_tiny_corpus


class WordTokenizer:
    """Ids from hashed words; 0 pads. Picklable."""

    def __call__(self, texts: Sequence[str], max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
        ids = np.zeros((len(texts), max_tokens), np.int32)
        for row, text in zip(ids, texts, strict=True):
            words = text.split()[:max_tokens]
            row[: len(words)] = [1 + zlib.crc32(word.encode()) % 1000 for word in words]
        return ids, ids > 0


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory) -> Path:
    return write_tiny_corpus(tmp_path_factory.mktemp("data"))


@pytest.fixture
def config(tiny_corpus) -> DataConfig:
    return DataConfig(root=str(tiny_corpus), batch_size=4, max_text_tokens=6, eval_examples=8)


@pytest.fixture(scope="session")
def tokenizer() -> WordTokenizer:
    return WordTokenizer()
