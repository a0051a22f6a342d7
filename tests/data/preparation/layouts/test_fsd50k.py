"""FSD50K: texts as in the paper, ancestors out of the table, licences."""

from hsmtss_jax.data.preparation.layouts.fsd50k import ancestors


def test_ancestors_stand_in_every_row_of_a_label():
    rows = [["guitar", "instrument", "music"], ["instrument", "music"], ["music"], ["rain"]]
    above = ancestors(rows)
    assert above["guitar"] == {"instrument", "music"}
    assert above["instrument"] == {"music"} and not above["music"] and not above["rain"]


def test_texts_tags_and_licences(copy):
    copy.prepare()
    clips = copy.clips
    guitar, laugh = clips["64760"], clips["1003"]
    assert guitar["captions"] == ["electric guitar"] and guitar["events"] == ["electric guitar"]
    assert guitar["tags"][0] == "music" and guitar["tags"][-1] == "electric guitar"
    assert len(guitar["tags"]) == 5 and guitar["licence"] == "CC0"
    assert laugh["captions"] == ["belly laugh,giggle"] and laugh["split"] == "validation"
    assert laugh["tags"] == ["human voice", "laughter", "belly laugh", "giggle"]
    assert clips["37199"]["captions"] == ["accelerating and revving and vroom"]
    assert clips["37199"]["split"] == "test" and clips["37199"]["group"] == "freesound:37199"
