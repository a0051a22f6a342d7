"""Recordings become clips: crops, rates, segments, damage."""

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import AudioError
from hsmtss_jax.data.preparation.clips import ClipForm, ClipTask, read_clips
from hsmtss_jax.data.preparation.item import Item, to_json
from tests.data.preparation.sounds import write_sound


@pytest.fixture
def ramp(tmp_path):
    """5 s at 8 kHz, two channels whose mean rises by 1/32768 every eighth sample."""
    steps = np.arange(40000) // 8 / 32768.0
    soundfile.write(tmp_path / "r.wav", np.stack([steps, steps], 1), 8000, subtype="PCM_16")
    return tmp_path / "r.wav"


def clips(path, *, start=0.0, stop=0.0, **form):
    item = Item(id="r", split="train", path=path.name, start=start, stop=stop)
    return list(read_clips(path, item, ClipForm(**{"rate": 8000, "seconds": 2.0, **form})))


def test_what_is_kept_of_long_recordings(ramp):
    assert [len(x) for x in clips(ramp)] == [40000]
    assert [len(x) for x in clips(ramp, long="pieces")] == [16000, 16000, 8000]
    assert [len(x) for x in clips(ramp, long="pieces", seconds=3.5)] == [28000]  # 1.5 s are left
    (start,) = clips(ramp, long="start")
    assert len(start) == 16000 and start[0] == 0
    (drawn,) = clips(ramp, long="random")
    assert len(drawn) == 16000 and drawn[0] > 0
    assert np.array_equal(drawn, clips(ramp, long="random")[0])


def test_pieces_joined_are_the_whole(ramp):
    (whole,) = clips(ramp, rate=16000)
    pieces = clips(ramp, rate=16000, long="pieces")
    assert np.array_equal(np.concatenate(pieces), whole) and len(whole) == 80000


def test_a_segment_of_a_file(ramp):
    (part,) = clips(ramp, start=1.0, stop=2.0)
    assert len(part) == 8000 and part[0] == 1000
    with pytest.raises(AudioError, match="it ends before 7 s"):
        clips(ramp, start=7.0)


def test_padding(ramp):
    (part,) = clips(ramp, stop=1.0, pad=True)
    assert len(part) == 16000 and not part[8000:].any()


def test_a_task_makes_records_and_names_faults(tmp_path):
    write_sound(tmp_path / "good.wav", 1.0)
    write_sound(tmp_path / "quiet.wav", 1.0, level=0.0)
    write_sound(tmp_path / "brief.wav", 0.01)
    (tmp_path / "bad.wav").write_bytes(b"RIFF nothing")
    whole = (tmp_path / "good.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:-8000])
    names = ("good", "quiet", "brief", "bad", "cut")
    items = [
        to_json(Item(id=name, split="train", path=f"{name}.wav", captions=("noise",)))
        for name in names
    ]
    faults = []
    records = list(ClipTask(str(tmp_path), ClipForm()).records(items, faults))
    assert [record["id"] for record in records] == ["good", "cut"]
    assert records[0]["audio"].dtype == np.int16 and len(records[0]["audio"]) == 16000
    assert {fault.file: fault.kind for fault in faults} == {
        "quiet.wav": "silent",
        "brief.wav": "short",
        "bad.wav": "damaged",
        "cut.wav": "repaired",
    }


def test_pieces_have_ids_of_their_own(tmp_path):
    write_sound(tmp_path / "long.wav", 3.0)
    task = ClipTask(str(tmp_path), ClipForm(seconds=1.0, long="pieces"))
    items = [to_json(Item(id="long", split="train", path="long.wav"))]
    records = list(task.records(items, []))
    assert [record["id"] for record in records] == ["long", "long+1", "long+2"]
    assert {record["group"] for record in records} == {"long"}
