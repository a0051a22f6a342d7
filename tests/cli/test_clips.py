"""The clips that a command evaluates: which, in what order, and what is known of them."""

import pytest

from hsmtss_jax.cli.clips import ClipOptions, read_clips
from hsmtss_jax.testing.corpus import write_tiny_corpus


def test_clips_go_round_the_labels(tmp_path):
    root = str(write_tiny_corpus(tmp_path))
    every = read_clips(ClipOptions(data=root, split="validation"))
    assert sorted(every.order) == list(range(len(every.source.clips)))
    first = read_clips(ClipOptions(data=root, split="validation", count=2))
    assert first.order == every.order[:2]
    assert len({clip.label for clip in first.known}) == 2


def test_a_split_that_is_not_there_is_refused(tmp_path):
    root = str(write_tiny_corpus(tmp_path))
    with pytest.raises(OSError, match="nowhere"):
        read_clips(ClipOptions(data=root, split="nowhere"))
