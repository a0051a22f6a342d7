"""MTG-Jamendo: as many columns as tags, the small edition's names, licences by track, pieces."""

from tests.data.preparation.sounds import write_sound


def test_tracks_tags_splits_and_licences(copy):
    copy.prepare()
    clips = copy.clips
    assert {name: clip["split"] for name, clip in clips.items()} == {
        "track_0000214": "train",
        "track_0000382": "validation",
        "track_0000241": "test",
    }
    voice = clips["track_0000382"]
    assert voice["tags"] == ["music", "classical", "voice"] and voice["events"] == ["music"]
    assert voice["captions"] == ["classical voice music", "music"]
    assert clips["track_0000214"]["licence"] == "http://creativecommons.org/licenses/by/3.0/"
    assert clips["track_0000241"]["group"] == "jamendo:artist_000005"


def test_without_the_repository_s_splits_artists_are_drawn(copy):
    for path in (copy.root / "mtg-jamendo-dataset" / "data" / "splits" / "split-0").iterdir():
        path.unlink()
    write_sound(copy.root / "audio-low" / "14" / "214.low.mp3", 3.0)
    copy.prepare(seconds=1.0)
    assert {"track_0000214", "track_0000214+1", "track_0000214+2"} <= set(copy.clips)
