"""An interrupted separation goes on, and its result is that of one that nothing interrupted."""

import warnings

import numpy as np
import pytest
import soundfile

from hsmtss_jax.inference import SeparateOptions, Separator
from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.inference.resume import (
    FileJournal,
    NoJournal,
    ResumeWarning,
    WindowState,
    open_journal,
)
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.testing.fake_runtime import FakeRuntime

RATE = 16_000


class Stopped(Exception):
    """Stands for an interrupt, or the process's end."""


class Counting(FakeRuntime):
    """Counts sounds, and stops behind the first ``limit`` batches of sounds."""

    def __init__(self, limit: int = 1_000) -> None:
        super().__init__(batch=4)
        self.sounds, self._left = 0, limit

    def decode_tokens(self, tokens, samples, *, gate=True):
        if not self._left:
            raise Stopped
        self._left -= 1
        self.sounds += len(tokens)
        return super().decode_tokens(tokens, samples, gate=gate)


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "in.wav"
    soundfile.write(path, 0.1 * rng.normal(size=(15 * RATE, 2)), RATE, subtype="FLOAT")
    return path


def samples(path) -> bytes:
    """The samples; a float WAV file tells when it was written as well."""
    return soundfile.read(path, dtype="float32")[0].tobytes()


def separate(source, out, runtime, state=None, **options):
    return Separator(runtime).separate_file(
        source,
        out,
        "extract the dog",
        residual_path=out.with_name("rest.wav"),
        options=SeparateOptions(**options),
        state_path=state,
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "generate"},
        {"mode": "blend", "best_of": 2},
        {"windows": "continued"},
        {"global_scope": "file", "min_presence": 0.0},
    ],
)
def test_a_resumed_run_equals_a_straight_one(options, source, tmp_path):
    out, state = tmp_path / "out.wav", tmp_path / ".out.wav.resume"
    straight = separate(source, out, Counting(), **options)
    wanted = samples(out), samples(tmp_path / "rest.wav")
    out.unlink()
    counter = Counting()
    for _ in range(2):
        with pytest.raises(Stopped):
            separate(source, out, Counting(1), state, **options)
        assert state.exists() and not out.exists()
    resumed = separate(source, out, counter, state, **options)
    assert (samples(out), samples(tmp_path / "rest.wav")) == wanted
    assert resumed.presence == straight.presence and resumed.windows == straight.windows
    np.testing.assert_array_equal(resumed.activity.values, straight.activity.values)
    assert not state.exists()
    if not options:
        assert counter.sounds == 2 * straight.windows - 2 * 4


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_end_is_made_again(damage, source, tmp_path):
    out, state = tmp_path / "out.wav", tmp_path / "state"
    separate(source, out, Counting())
    wanted = samples(out)
    with pytest.raises(Stopped):
        separate(source, out, Counting(2), state)
    content = bytearray(state.read_bytes())
    if damage == "cut":
        content = content[:-7]
    else:
        content[-7] ^= 1
    state.write_bytes(content)
    separate(source, out, Counting(), state)
    assert samples(out) == wanted


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "another options"),
        ("recording", "another recording"),
        ("file", "another kind"),
    ],
)
def test_a_state_of_something_else_is_named_and_not_used(change, said, source, tmp_path):
    out, state = tmp_path / "out.wav", tmp_path / "state"
    with pytest.raises(Stopped):
        separate(source, out, Counting(2), state)
    options = change if isinstance(change, dict) else {}
    if change == "recording":
        sound, _ = soundfile.read(source)
        soundfile.write(source, sound[::-1], RATE, subtype="FLOAT")
    elif change == "file":
        state.write_text("something else\n")
    with pytest.warns(ResumeWarning, match=f"not used, it is of {said}"):
        separate(source, out, Counting(), state, **options)
    made = samples(out)
    separate(source, out, Counting(), **options)
    assert samples(out) == made and not state.exists()


def test_one_run_at_a_time(source, tmp_path):
    recording, path = open_recording(source), tmp_path / "state"
    first = open_journal(path, recording, {})
    with pytest.warns(ResumeWarning, match="another run is writing it"):
        assert isinstance(open_journal(path, recording, {}), NoJournal)
    first.close()
    second = open_journal(path, recording, {})
    assert isinstance(second, FileJournal)
    second.close()


def test_windows_come_back(source, tmp_path):
    sounds = Stems(np.arange(3.0), np.ones(2))
    made = {0: sounds, 2: np.eye(2, dtype=np.float32)}
    kept = WindowState(made, {1: (0.25, 0.5)}, {0: np.arange(4)})
    for _ in range(2):
        journal = open_journal(tmp_path / "state", open_recording(source), {})
        assert journal.recall(8) is None
        journal.keep(7, kept)
        found = journal.recall(7)
        assert found is not None and found.cosines == kept.cosines and journal.windows == 1
        np.testing.assert_array_equal(found.made[0].residual, sounds.residual)
        np.testing.assert_array_equal(found.made[2], made[2])
        np.testing.assert_array_equal(found.tokens[0], kept.tokens[0])
        journal.close()


def test_a_place_that_cannot_be_written_keeps_nothing(source, tmp_path):
    with pytest.warns(ResumeWarning, match="cannot be written"):
        assert isinstance(
            open_journal(tmp_path / "absent" / "state", open_recording(source), {}), NoJournal
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(open_journal(None, open_recording(source), {}), NoJournal)
