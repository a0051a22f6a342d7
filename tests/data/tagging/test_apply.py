"""A prepared set gets unified tags in its index; its own stay beside them."""

import json

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.data.records import read_index
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.data.tagging.apply import tag_dataset
from hsmtss_jax.data.tagging.rules import RuleTagger
from tests.data.preparation.layouts.conftest import Copy


@pytest.fixture
def audiocaps(tmp_path):
    Copy(tmp_path, "audiocaps").prepare()
    return tmp_path / "prepared"


def test_captions_become_tags(audiocaps):
    assert not read_index(audiocaps, "train")[0]["tags"]
    every = tag_dataset(audiocaps, RuleTagger())
    rows = {row["id"]: row for row in read_index(audiocaps, "train")}
    assert rows["r1nicOVtvkQ_30"]["events"] == ["Bark"] and "Dog" in every["r1nicOVtvkQ_30"]
    assert rows["r1nicOVtvkQ_30"]["own_tags"] == []
    assert json.loads((audiocaps / "tags.json").read_text()) == every
    clips = {clip.id: clip for clip in ClipSource(audiocaps, "train").clips}
    assert clips["r1nicOVtvkQ_30"].events == {"Bark"}


def test_again_gives_the_same(audiocaps):
    tag_dataset(audiocaps, RuleTagger())
    before = (audiocaps / "index-train.jsonl").read_bytes()
    tag_dataset(audiocaps, RuleTagger())
    assert (audiocaps / "index-train.jsonl").read_bytes() == before


def test_the_command(audiocaps, capsys):
    assert main(["data", "tags", str(audiocaps)]) == 0
    assert "5 clips" in capsys.readouterr().out
    assert main(["data", "tags", str(audiocaps), "--check"]) == 0
    assert "precision" in capsys.readouterr().out
    assert main(["data", "tags", str(audiocaps / "nowhere")]) != 0
    assert "no prepared data set" in capsys.readouterr().err
