"""Recordings in words: a span a sound, silence named, the last window cut where the recording ends."""

import numpy as np
import pytest

from hsmtss_jax.audio.constants import SAMPLE_RATE as RATE
from hsmtss_jax.cli.main import main
from hsmtss_jax.inference.captioner import Caption, Captioner
from hsmtss_jax.inference.recording import open_recording


class LevelWriter(Captioner):
    """Says how loud a window is."""

    def __init__(self) -> None:
        self.window, self.batches = RATE, []

    def caption(self, audio, *, batch=8, beams=5, tokens=67, length_power=1.0):
        self.batches.append(len(audio))
        levels = np.abs(audio).max(axis=1) / np.abs(audio).max()
        return ["loud" if level > 0.5 else "soft" for level in levels]


def _recording(levels, rate=RATE):
    sound = np.concatenate([np.full(rate, level) for level in levels]).astype(np.float32)
    return open_recording(sound * np.sign(np.sin(np.arange(len(sound)))), rate)


def test_windows_that_sound_alike_are_one_span():
    writer = LevelWriter()
    spans = list(writer.describe(_recording([0.5, 0.5, 0.05, 0.0, 0.5]), batch=5))
    assert spans == [
        Caption(0.0, 2.0, "loud"),
        Caption(2.0, 3.0, "soft"),
        Caption(3.0, 4.0, ""),
        Caption(4.0, 5.0, "loud"),
    ]


def test_windows_go_in_batches_and_the_end_is_the_recording_s():
    writer = LevelWriter()
    spans = list(writer.describe(_recording([0.5, 0.5, 0.5], 12_000), batch=2))
    assert writer.batches == [2, 1] and spans[-1].end == pytest.approx(3.0)
    short = _recording([0.1]).part(0, 4000)
    assert list(LevelWriter().describe(short)) == [Caption(0.0, 0.25, "loud")]


@pytest.mark.parametrize(
    ("sound", "said"),
    [(np.zeros(RATE), "silent"), (np.ones(10), "too short"), (np.full(RATE, np.nan), "NaN")],
)
def test_what_cannot_be_described_is_said(sound, said):
    with pytest.raises(ValueError, match=said):
        list(LevelWriter().describe(open_recording(sound.astype(np.float32), RATE)))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["missing.wav", "--beams=0"], "--beams: must be at least 1"),
        (["missing.wav", "--ckpt=nowhere"], "no checkpoint at nowhere"),
        ([], "required: INPUT"),
    ],
)
def test_bad_input_is_one_line(argv, said, capsys):
    assert main(["describe", *argv]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
