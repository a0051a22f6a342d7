"""Levels of frames are those of the sound."""

import pickle

import numpy as np
import pytest

from hsmtss_jax.audio import level
from hsmtss_jax.data.active_level import active_rms
from hsmtss_jax.data.levels import LevelTable, active_db, frame_energies
from hsmtss_jax.data.sources import ClipSource


def test_table_holds_every_clip(tiny_corpus, tmp_path):
    source = ClipSource(tiny_corpus, "train")
    lengths = np.array([clip.samples for clip in source.clips])
    table = LevelTable(tmp_path / "levels.npy", lengths)
    table.create()
    for part in (range(10), range(10, len(source))):
        table.measure(source, part)
    table = pickle.loads(pickle.dumps(table))
    for i in range(len(source)):
        audio, energies = source.audio(i), table.energies(i)
        assert np.sum(energies) == pytest.approx(
            np.sum(np.square(audio, dtype=np.float64)), rel=1e-5
        )
        whole = audio[: len(audio) // 160 * 160]
        assert active_db(energies[: len(audio) // 160]) == pytest.approx(
            level.decibels(active_rms(whole)), abs=1e-3
        )


def test_silence_has_a_level():
    assert active_db(frame_energies(np.zeros(500, np.int16))) == -120.0
    assert (
        len(frame_energies(np.ones(161, np.int16))) == 2 and len(frame_energies(np.zeros(0))) == 0
    )
    assert active_db(np.zeros(0, np.float32)) == -120.0
