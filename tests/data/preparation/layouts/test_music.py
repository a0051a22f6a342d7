"""MUSIC: CLIPSep's lists; the 46 test videos are the default."""


def test_the_test_list(copy):
    report = copy.prepare()
    clips = copy.clips
    assert sorted(clips) == ["ZeQPNWdFs_4", "w81p5ty4OZc"]
    assert clips["ZeQPNWdFs_4"]["captions"] == ["acoustic guitar"]
    assert clips["ZeQPNWdFs_4"]["events"] == ["acoustic guitar"]
    assert report.differences == ["test: the tables list 2, the official ones are 46"]


def test_all_lists(copy):
    copy.prepare("test", "val", "train")
    assert {clip["split"] for clip in copy.clips.values()} == {"train", "validation", "test"}
