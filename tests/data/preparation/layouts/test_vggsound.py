"""VGGSound: a table without header, starts of six digits."""

import pytest


def test_clips(copy):
    copy.prepare()
    clips = copy.clips
    assert clips["---g-f_I2yQ_000001"]["split"] == "test"
    assert clips["--56QUhyDQM_000185"]["captions"] == ["bird chirping and tweeting"]
    assert len(clips) == 3


def test_another_split_is_a_fault(copy):
    table = copy.root / "vggsound.csv"
    table.write_text(table.read_text().replace(",test", ",dev"))
    with pytest.raises(ValueError, match="---g-f_I2yQ is in 'dev', not in train or test"):
        copy.prepare()
