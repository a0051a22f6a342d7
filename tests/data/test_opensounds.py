"""Preparation of the opensounds corpus: captions, tags, the validation part, the whole script."""

import csv
import importlib
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.data.sources import ClipSource

FOLDER = Path(__file__).parents[2] / "data/opensounds"
sys.path.insert(0, str(FOLDER))

captions, make_corpus, prepare, split, tags = map(
    importlib.import_module, ("captions", "make_corpus", "prepare", "split", "tags")
)
containers, midi, waveform = (
    importlib.import_module(f"corpus_build.{name}") for name in ("containers", "midi", "waveform")
)


def row(
    name: str, part: str = "train", label: str = "dog barking", **kwargs: str
) -> dict[str, str]:
    values = {
        "file": f"{part}/{label.replace(' ', '-')}/{name}.flac",
        "shard": f"{part}-00.tar",
        "split": part,
        "seconds": "0.5",
        "label": label,
        "caption": "a dog barks",
        "tags": "animal;dog",
        "licence": "CC0-1.0",
        "package": "p",
        "source": name,
        "kind": "recording",
        "group": f"clip:{name}",
        "bandwidth_hz": "",
    }
    return values | kwargs


@pytest.mark.parametrize(
    ("caption", "label", "expected"),
    [
        (
            "a dog barks",
            "dog barking",
            ["a dog barks", "a dog barking", "dog barking", "a dog", "dog"],
        ),
        ("it is raining", "rain", ["it is raining", "rain", "rainfall"]),
        ("a goose honks", "duck quacking", ["a goose honks", "a goose honking", "goose honking"]),
        ("a cowbell is struck", "cowbell", ["a cowbell is struck", "a cowbell being struck"]),
        ("someone walking: footsteps on sand", "footsteps on sand", ["footsteps on sand"]),
        (
            "a man speaks in Italian",
            "speech",
            ["a man speaks in Italian", "a man speaking in Italian"],
        ),
    ],
)
def test_captions_begin_with(caption, label, expected):
    out = captions.captions_of(caption, label, [])
    assert out[: len(expected)] == expected[: len(out)] and len(out) == len(set(out))


def test_captions_invent_nothing():
    assert "duck quacking" not in captions.captions_of("a goose honks", "duck quacking", [])
    assert "someone" not in captions.captions_of("someone coughs", "coughing", [])
    assert "man speech" in captions.captions_of("a man speaks", "speech", [])
    assert "timpani are being played" in captions.captions_of(
        "timpani playing", "timpani", ["musical instrument"]
    )


def test_tags_say_what_is_heard():
    assert tags.events_of(tags.tags_of("dog barking", ["animal", "dog"])) == ["dog"]
    assert tags.events_of(tags.tags_of("music", ["music"])) == ["music"]
    violin = tags.tags_of("violin", ["music", "musical instrument", "violin", "low bandwidth"])
    assert tags.events_of(violin) == ["violin", "string section"]


def test_validation_takes_whole_recordings():
    rows = [row(f"a{i}", group=f"series:{i // 2}") for i in range(40)]
    rows += [row(f"b{i}", label="cat meowing", group=f"clip:b{i}") for i in range(2)]
    rows += [row(f"t{i}", part="test") for i in range(5)]
    chosen = split.validation_files(rows)
    assert 2 <= len(chosen) <= 6
    for i in range(20):
        pair = [rows[2 * i]["file"] in chosen, rows[2 * i + 1]["file"] in chosen]
        assert pair[0] == pair[1]
    assert all(file.startswith("train/dog") for file in chosen)
    assert split.validation_files(rows[::-1]) == chosen


def test_recordings_join_what_belongs_together():
    rows = [
        row("x", group="speaker:sounds/fr_CA_f_June"),
        row("y", group="speaker:sounds/fr_CA_f_June/digits"),
        row("step", group="series:steps"),
        row("walk", kind="composite", source="step;other", group="composite:walk"),
        row("note", kind="rendered", group="sf:font:piano"),
    ]
    june, digits, step, walk, note = split.recordings(rows)
    assert june == digits and step == walk == "series:steps" and note.startswith("rendered:")


def write_packed(folder: Path) -> list[dict[str, str]]:
    rng = np.random.default_rng(0)
    rows = [row(f"a{i}") for i in range(8)]
    rows += [
        row(f"b{i}", label="rain", caption="it is raining", tags="nature;rain") for i in range(6)
    ]
    rows += [row(f"t{i}", part="test") for i in range(3)]
    for shard in ("train-00.tar", "test-00.tar"):
        with tarfile.open(folder / shard, "w") as tar:
            for item in (r for r in rows if r["shard"] == shard):
                data = io.BytesIO()
                soundfile.write(data, rng.uniform(-0.5, 0.5, 800), 16000, format="FLAC")
                info = tarfile.TarInfo(item["file"])
                info.size = len(data.getvalue())
                tar.addfile(info, io.BytesIO(data.getvalue()))
    with open(folder / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    (folder / "ATTRIBUTION.csv").write_text("package,licence\np,CC0-1.0\nunused,MIT\n")
    return rows


def test_prepare_packed_corpus(tmp_path, capsys):
    rows = write_packed(tmp_path)
    out = tmp_path / "out"
    prepare.main(["--packed", str(tmp_path), "--out", str(out)])
    assert '"test"' in capsys.readouterr().out
    sources = {name: ClipSource(out, name) for name in ("train", "validation", "test")}
    ids = [clip.id for source in sources.values() for clip in source.clips]
    assert len(ids) == len(set(ids)) == len(rows)
    assert len(sources["test"]) == 3 and len(sources["validation"]) >= 1
    clip = next(clip for clip in sources["train"].clips if clip.label == "rain")
    assert clip.captions[0] == "it is raining" and clip.events == {"rain", "running water"}
    assert sources["train"].audio(0).shape == (800,)
    assert "unused" not in (out / "ATTRIBUTION.csv").read_text()
    first = {path.name: path.read_bytes() for path in out.iterdir() if "index" in path.name}
    prepare.main(["--packed", str(tmp_path), "--out", str(out)])
    assert first == {path.name: path.read_bytes() for path in out.iterdir() if "index" in path.name}


def test_prepare_without_corpus(tmp_path):
    with pytest.raises(OSError, match=r"metadata\.csv is missing"):
        prepare.main(["--packed", str(tmp_path), "--out", str(tmp_path / "out")])


def test_the_list_of_clips_reads_and_filters():
    path = FOLDER / "clips.csv.gz"
    rows = make_corpus.read_clips(path)
    assert len(rows) > 5000 and {"train", "test"} == {r["split"] for r in rows}
    free = make_corpus.read_clips(path, exclude="0ad-data", licence="GPL")
    assert not any(r["package"] == "0ad-data" or "GPL" in r["licence"] for r in free)


def test_sound_font_members_are_wav(tmp_path):
    pcm = np.arange(-200, 200, dtype="<i2").tobytes()
    header = b"Cow/1".ljust(20, b"\0") + np.array([0, 400, 0, 0, 22050], "<u4").tobytes()
    headers = header.ljust(46, b"\0") + bytes(46)

    def chunk(tag: bytes, data: bytes) -> bytes:
        return tag + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)

    body = chunk(b"LIST", b"sdta" + chunk(b"smpl", pcm))
    body += chunk(b"LIST", b"pdta" + chunk(b"shdr", headers))
    (tmp_path / "x.sf2").write_bytes(chunk(b"RIFF", b"sfbk" + body))
    samples, rate = waveform.decode(
        containers.Package(str(tmp_path)).read("x.sf2!Cow_1.wav"), "x.wav"
    )
    assert rate == 22050
    np.testing.assert_array_equal(samples[:, 0] * 32768, np.arange(-200, 200))


def test_midi_file_and_phrases():
    import random

    events = midi.phrase(random.Random(1), 40, 80, "m", 5.0, 1.0)
    assert events == midi.phrase(random.Random(1), 40, 80, "m", 5.0, 1.0)
    assert all(40 <= pitch <= 80 and 1.0 <= t < 6.0 for t, pitch, _, _ in events)
    data = midi.smf(events, 0, 0)
    assert data[:4] == b"MThd" and int.from_bytes(data[18:22], "big") == len(data) - 22


def test_pieces_are_at_most_ten_seconds():
    x = np.full(25 * waveform.SR, 0.5, np.float32)
    assert [len(piece) / waveform.SR for piece in waveform.pieces(x)] == [10, 10, 5]
    x[10 * waveform.SR : 20 * waveform.SR] = 0.001
    assert len(waveform.pieces(x)) == 2
