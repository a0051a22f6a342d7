"""WavCaps: two forms of table, deep folders, 60 s at most of what is not AudioSet's."""


def test_the_paper_s_parts(copy):
    copy.prepare()
    clips = copy.clips
    assert set(clips) == {
        "AudioSet_SL/Yb0RFKhbpFJA",
        "SoundBible/2219",
        "BBC_Sound_Effects/NHU05104090",
    }
    assert clips["AudioSet_SL/Yb0RFKhbpFJA"]["group"] == "youtube:b0RFKhbpFJA"
    assert clips["SoundBible/2219"]["captions"] == ["An airplane is landing."]


def test_another_part(copy):
    copy.prepare("FreeSound")
    assert copy.clips["FreeSound/9"]["group"] == "freesound:9"


def test_audiocaps_clips_can_be_held_out(copy, tmp_path):
    from tests.data.preparation.layouts.conftest import Copy

    other = Copy(tmp_path / "other", "audiocaps")
    table = other.root / "test.csv"
    table.write_text(table.read_text().replace("test0000000", "b0RFKhbpFJA"))
    other.prepare()
    copy.prepare(held_out=(tmp_path / "other" / "prepared",))
    assert "AudioSet_SL/Yb0RFKhbpFJA" not in copy.clips
    assert [line[2] for line in copy.left_out] == ["held out"]
