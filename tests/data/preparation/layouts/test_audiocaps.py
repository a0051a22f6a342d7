"""AudioCaps: one caption or five a clip, files of several downloaders."""


def test_clips_captions_and_files(copy):
    report = copy.prepare()
    clips = copy.clips
    assert {name: clip["split"] for name, clip in clips.items()} == {
        "r1nicOVtvkQ_130": "train",
        "-vi0aaaaaaa_0": "train",
        "r1nicOVtvkQ_30": "train",
        "val00000000_10": "validation",
        "test0000000_20": "test",
    }
    assert clips["r1nicOVtvkQ_130"]["captions"] == ["A woman talks nearby, as water pours"]
    assert len(clips["test0000000_20"]["captions"]) == 5
    assert clips["r1nicOVtvkQ_30"]["group"] == "youtube:r1nicOVtvkQ"
    assert "train: the tables list 3, the official ones are 49838" in report.differences
