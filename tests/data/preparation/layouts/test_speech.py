"""Speech: three sets in one folder, split by speaker where one is known."""


def test_three_parts(copy):
    report = copy.prepare()
    clips = copy.clips
    assert sorted(clips) == [
        "avspeech/AvWWVOgaMlk_90",
        "avspeech/videoidtest_1",
        "dns/clean/french_data/M-AILABS/fr_FR/a",
        "dns/clean/german_speech/b",
        "librilight/960/history_of_holland_64kb_mp3/holland_01_edmundson_64kb",
    ]
    assert {clip["label"] for clip in clips.values()} == {"speech"}
    assert "speech in french" in clips["dns/clean/french_data/M-AILABS/fr_FR/a"]["captions"]
    book = clips["librilight/960/history_of_holland_64kb_mp3/holland_01_edmundson_64kb"]
    assert book["group"] == "librivox:960" and "public domain" in book["licence"]
    assert clips["avspeech/videoidtest_1"]["split"] == "test"
    assert sum(report.clips.values()) == 5


def test_one_part(copy):
    copy.prepare("librilight")
    assert len(copy.clips) == 1
