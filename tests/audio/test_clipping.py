"""Samples beyond 1 as a working file becomes the result: clamped, or all scaled by one gain."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.clipping import check_size, finish_files, needs_working_file
from hsmtss_jax.audio.io import AudioError

LOUD = np.array([0.5, -2.0, 1.0, 0.0], np.float32)
QUIET = LOUD / 4


@pytest.fixture
def works(tmp_path):
    """(working file, result) of a loud sound and a quiet one."""
    pairs = []
    for name, sound in (("loud", LOUD), ("quiet", QUIET)):
        work = tmp_path / f"{name}.work.wav"
        soundfile.write(work, sound, 16_000, subtype="FLOAT")
        pairs.append((work, tmp_path / f"{name}.wav"))
    return pairs


def read(path):
    return soundfile.read(path, dtype="float32")[0]


@pytest.mark.parametrize(
    ("clip_mode", "subtype", "mode", "expected"),
    [
        ("rescale", "PCM_16", "mask", True),
        ("clamp", "PCM_16", "mask", False),
        ("clamp", "FLOAT", "mask", True),
        ("rescale", "FLOAT", "generate", False),
    ],
)
def test_a_working_file_where_the_level_is_known_at_the_end(clip_mode, subtype, mode, expected):
    assert needs_working_file(clip_mode, subtype, mode) is expected


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16"])
def test_all_results_are_scaled_alike(works, subtype):
    gain = finish_files(works, subtype, "rescale", 2.0)
    assert gain == 0.5
    for (work, result), sound in zip(works, (LOUD, QUIET), strict=True):
        np.testing.assert_allclose(read(result), sound / 2, atol=1e-4)
        assert soundfile.info(result).subtype == subtype and not work.exists()


def test_nothing_is_scaled_up(works):
    assert finish_files(works, "FLOAT", "rescale", 0.5) == 1.0
    np.testing.assert_array_equal(read(works[1][1]), QUIET)
    assert finish_files([], "FLOAT", "rescale", 9.0) == 1.0


def test_clamping_changes_what_is_beyond_one_only(works):
    assert finish_files(works, "FLOAT", "clamp", 2.0) == 1.0
    np.testing.assert_array_equal(read(works[0][1]), LOUD.clip(-1, 1))
    np.testing.assert_array_equal(read(works[1][1]), QUIET)


def test_a_failure_leaves_no_result(works):
    works[1][0].write_bytes(b"RIFF")
    with pytest.raises((OSError, AudioError)):
        finish_files(works, "PCM_16", "rescale", 2.0)
    assert not any(result.exists() for _, result in works)


def test_a_recording_that_no_working_file_holds_is_refused(tmp_path):
    path = tmp_path / "hour.wav"
    soundfile.write(path, np.zeros((16_000, 2), np.float32), 16_000)
    check_size(path, 0.0, None)
    with pytest.raises(AudioError, match=r"--clip-mode rescale.* --start and --end"):
        check_size(path, 0.0, None, largest=100_000)
    check_size(path, 0.5, 0.75, largest=100_000)
