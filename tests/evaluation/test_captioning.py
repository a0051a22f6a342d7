import shutil

import numpy as np
import pytest

from hsmtss_jax.evaluation import captioning

REFERENCES = [
    ["a dog barks twice", "a dog is barking"],
    ["rain falls on a roof", "rain on the roof"],
    ["a door is closed slowly", "someone closes a door"],
]


def test_without_the_extra_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(captioning.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="hsmtss-jax\\[caption\\]"):
        captioning.score(["a dog"], [["a dog"]])


def test_every_clip_needs_a_caption_and_a_reference(monkeypatch):
    monkeypatch.setattr(captioning, "check_extra", lambda: None)
    for captions, references in ((["a"], []), (["a"], [[]]), ([], [])):
        with pytest.raises(ValueError, match="every clip"):
            captioning.score(captions, references)


def test_without_java_cider_is_left(monkeypatch):
    pytest.importorskip("pycocoevalcap")
    monkeypatch.setattr(captioning.shutil, "which", lambda name: None)
    result = captioning.score([own[0] for own in REFERENCES], REFERENCES)
    assert set(result.scores) == {"CIDEr-D"} and result.tokenizer == "plain"
    assert set(result.skipped) == {"METEOR", "SPICE", "SPIDEr"}
    table = captioning.to_markdown(result, 3)
    assert "METEOR skipped: needs java" in table and "not comparable" in table
    wrong = captioning.score([REFERENCES[i][0] for i in (1, 2, 0)], REFERENCES)
    assert result.scores["CIDEr-D"].value > 1.0 > 0.1 > wrong.scores["CIDEr-D"].value


def test_with_java():
    pytest.importorskip("pycocoevalcap")
    if shutil.which("java") is None:
        pytest.skip("no java")
    texts = [REFERENCES[0][0].capitalize() + ".", "", "a cat"]
    result = captioning.score(texts, REFERENCES)
    assert result.tokenizer == "PTB" and set(result.scores) >= {"METEOR", "CIDEr-D"}
    meteor = result.scores["METEOR"]
    assert meteor.by_clip[0] == pytest.approx(1.0, abs=0.01) and meteor.by_clip[1] == 0.0
    assert np.all(np.asarray(result.scores["CIDEr-D"].by_clip)[1:] < 0.1)
    assert ("SPICE" in result.scores) == ("SPIDEr" in result.scores)
    document = captioning.to_json(result, dict(zip("abc", texts, strict=True)), REFERENCES, {})
    assert document["rows"][1]["clip"] == "b" and len(document["rows"]) == 3


def test_plain_tokens_by_hand():
    assert captioning._plain([["A dog's bark, loud!"], ["..."]]) == {
        0: ["a dog's bark loud"],
        1: ["-"],
    }
