"""Preparation of the opensounds corpus: captions, tags, the validation part, the whole script."""

import csv
import gzip
import importlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.data import fingerprint
from hsmtss_jax.data.sources import ClipSource

FOLDER = Path(__file__).parents[2] / "data/opensounds"
sys.path.insert(0, str(FOLDER))

captions, checks, make_corpus, prepare, rebuild, split, tags = map(
    importlib.import_module,
    ("captions", "checks", "make_corpus", "prepare", "rebuild", "split", "tags"),
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


def test_captions_differ_between_clips_that_share_them():
    own = captions.captions_of("an otter squeaks", "otter", [])
    firsts = {captions.varied(own, f"otter/{i}")[0] for i in range(40)}
    assert len(firsts) == len(own)
    assert all(sorted(captions.varied(own, f"{i}")) == sorted(own) for i in range(5))


def test_events_of_both_corpora_meet():
    """A dog that barks and one that snores, a goose under two labels: never mixed."""
    for a, b in (
        (("dog barking", ["animal", "dog"]), ("dog snoring", ["animal", "dog", "snoring"])),
        (
            ("duck quacking", ["animal", "bird", "duck"]),
            ("goose honking", ["animal", "bird", "goose"]),
        ),
        (
            ("birds chirping", ["animal", "bird", "birdsong"]),
            ("sea waves", ["nature", "water", "ocean", "bird"]),
        ),
    ):
        assert set(tags.events_of(tags.tags_of(*a))) & set(tags.tags_of(*b))


def validation(rows: list[dict[str, str]]) -> set[str]:
    parts = split.split_rows(rows, split.recordings(rows)).parts
    return {rows[i]["file"] for i in parts["validation"]}


def test_validation_takes_whole_recordings():
    rows = [row(f"a{i}", group=f"series:{i // 2}") for i in range(40)]
    rows += [row(f"b{i}", label="cat meowing", group=f"clip:b{i}") for i in range(2)]
    rows += [row(f"t{i}", part="test") for i in range(5)]
    chosen = validation(rows)
    assert 2 <= len(chosen) <= 6
    for i in range(20):
        pair = [rows[2 * i]["file"] in chosen, rows[2 * i + 1]["file"] in chosen]
        assert pair[0] == pair[1]
    assert all(file.startswith("train/dog") for file in chosen)
    assert validation(rows[::-1]) == chosen
    assert validation([*rows, row("v", part="validation")]) > {"validation/dog-barking/v.flac"}


def test_recordings_join_what_belongs_together():
    rows = [
        row("x", group="speaker:sounds/fr_CA_f_June"),
        row("y", group="speaker:sounds/fr_CA_f_June/digits"),
        row("step", group="series:steps"),
        row("walk", kind="composite", source="other;step", group="composite:walk"),
        row("note", kind="rendered", group="sf:font:piano"),
        row("copy", group="clip:copy"),
    ]
    same_sound = fingerprint.Match(first=4, second=5, offset=0, votes=9, correlation=1.0)
    june, digits, step, walk, note, copy = split.recordings(rows, [same_sound])
    assert june == digits and step == walk and note == copy
    assert len({june, step, note}) == 3


def test_test_clips_that_are_also_in_training_are_dropped():
    rows = [row("a", group="g"), row("t", part="test", group="g"), row("u", part="test")]
    splits = split.split_rows(rows, split.recordings(rows))
    assert splits.parts["test"] == [2] and list(splits.dropped) == [1]
    assert "also in training" in splits.dropped[1]


def test_splits_that_share_something_are_refused():
    rows = [row("a") | {"id": "a"}, row("b", part="test") | {"id": "b"}]
    parts, match = {"train": [0], "test": [1]}, fingerprint.Match(0, 1, 0, 9, 1.0)
    checks.check_splits(parts, rows, ["x", "y"], [])
    with pytest.raises(ValueError, match="near duplicates in two splits: a of train and b of test"):
        checks.check_splits(parts, rows, ["x", "y"], [match])
    with pytest.raises(ValueError, match="train and test share the recording x"):
        checks.check_splits(parts, rows, ["x", "x"], [])


def flac(sound: np.ndarray, rate: int = 16000) -> bytes:
    data = io.BytesIO()
    soundfile.write(data, sound, rate, format="FLAC")
    return data.getvalue()


def write_packed(folder: Path, rows: list[dict[str, str]], sounds: dict[str, bytes]) -> Path:
    """Write a packed corpus; noise of half a second for what ``sounds`` (by source) does not give."""
    folder.mkdir()
    rng = np.random.default_rng(zlib.crc32(folder.name.encode()))
    for shard in sorted({r["shard"] for r in rows}):
        with tarfile.open(folder / shard, "w") as tar:
            for item in (r for r in rows if r["shard"] == shard):
                data = sounds.get(item["source"]) or flac(rng.uniform(-0.5, 0.5, 8000))
                info = tarfile.TarInfo(item["file"])
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    with open(folder / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    (folder / "ATTRIBUTION.csv").write_text(
        "package,version,licence,copyright file\np,1,CC0-1.0,doc/p\nunused,1,MIT,doc/u\n"
    )
    return folder


def plain_rows() -> list[dict[str, str]]:
    rows = [row(f"a{i}") for i in range(8)]
    rows += [
        row(f"b{i}", label="rain", caption="it is raining", tags="nature;rain") for i in range(6)
    ]
    return rows + [row(f"t{i}", part="test") for i in range(3)]


def test_prepare_packed_corpora(tmp_path, capsys):
    rows = plain_rows()
    packed = write_packed(tmp_path / "first", rows, {})
    more = [row(f"c{i}", label="wind", package="p") for i in range(3)]
    other = write_packed(tmp_path / "second", more, {})
    out = tmp_path / "out"
    command = ["--packed", str(packed), "--packed", str(other), "--out", str(out)]
    prepare.main(command)
    assert '"test"' in capsys.readouterr().out
    sources = {name: ClipSource(out, name) for name in ("train", "validation", "test")}
    ids = [clip.id for source in sources.values() for clip in source.clips]
    assert len(ids) == len(set(ids)) == len(rows) + len(more)
    assert len(sources["test"]) == 3 and len(sources["validation"]) >= 1
    clip = next(clip for clip in sources["train"].clips if clip.label == "rain")
    assert clip.captions[0] == "it is raining" and clip.events == {"rain", "running water"}
    assert sources["train"].audio(0).shape == (8000,)
    assert "unused" not in (out / "ATTRIBUTION.csv").read_text()
    assert "doc/p" in (out / "ATTRIBUTION.csv").read_text()
    report = json.loads((out / "splits.json").read_text())
    assert report["test"]["folders"] == {"first": {"clips": 3, "labels": 1, "hours": 0.0}}
    assert report["found"] == len(ids) and report["refused"] == {}
    first = {path.name: path.read_bytes() for path in out.iterdir() if "index" in path.name}
    prepare.main(command)
    assert first == {path.name: path.read_bytes() for path in out.iterdir() if "index" in path.name}


def test_what_is_refused_is_said(tmp_path, capsys):
    bark = np.random.default_rng(5).uniform(-0.5, 0.5, 20000)
    bad = {
        "silent": flac(np.zeros(8000)),
        "short": flac(bark[:400]),
        "damaged": flac(bark)[:300],
        "wide": flac(bark, 44100),
        "here": flac(bark),
        "there": flac(np.concatenate([np.zeros(3000), bark * 0.3])),
    }
    rows = [*plain_rows(), *(row(name) for name in ("silent", "short", "damaged", "wide", "here"))]
    rows += [
        row("there", part="test", label="cat meowing"),
        row("a0") | {"source": "again"},
        row("t9", part="test", group="clip:a1"),
        row("freesound_1791"),
        row("100032_dog"),
    ]
    packed = write_packed(tmp_path / "packed", rows, bad)
    prepare.main(["--packed", str(packed), "--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    with open(tmp_path / "out/refused.csv", newline="") as lines:
        refused = {Path(line["file"]).stem: line["reason"] for line in csv.DictReader(lines)}
    expected = {
        "silent": "silent",
        "short": "too short",
        "damaged": "damaged",
        "wide": "not 16000 Hz mono: 44100 Hz",
        "a0": "stands twice",
        "there": "leaks",
        "t9": "leaks",
        "100032_dog": "held out: recording 100032 of ESC-50",
    }
    assert set(refused) == set(expected)
    for name, reason in expected.items():
        assert reason in refused[name] and refused[name] in said
    assert len(ClipSource(tmp_path / "out", "test")) == 3


def test_recordings_of_esc50_are_known_by_their_sound():
    known = {
        "id": "fire-crackling/openclonk-data-e2dd8126",
        "file": "x",
        "source": "Fire.ogg",
    }
    assert "ESC-50" in checks.refuse_rows([known])[0]
    assert not checks.refuse_rows([known | {"id": "fire-crackling/other"}])


def test_prepare_without_corpus(tmp_path):
    with pytest.raises(SystemExit, match=r"metadata\.csv is missing"):
        prepare.main(["--packed", str(tmp_path), "--out", str(tmp_path / "out")])
    packed = write_packed(tmp_path / "packed", plain_rows(), {})
    (packed / "test-00.tar").unlink()
    with pytest.raises(SystemExit, match=r"test-00\.tar is missing"):
        prepare.main(["--packed", str(packed), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_repositories_are_rebuilt_and_what_is_gone_is_said(tmp_path, capsys):
    repository = tmp_path / "host/someone/sounds"
    repository.mkdir(parents=True)
    sound = np.random.default_rng(0).uniform(-0.2, 0.2, 48000)
    soundfile.write(repository / "a [1].wav", sound, 16000, subtype="PCM_16")
    (repository / "b.wav").write_bytes(b"no sound")
    git(repository, "init", "-q")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "sounds")
    listed = {
        "repository": "someone/sounds",
        "commit": git(repository, "rev-parse", "HEAD"),
        "path": "a [1].wav",
        "start": "8000",
        "name": "sounds-1",
        "licence_file": "LICENCE",
        "author": "A. Nobody",
    }
    base = {name: value for name, value in row("x").items() if name != "file"}
    rows = [
        base | listed | {"seconds": "1.5"},
        base | listed | {"path": "b.wav"},
        base | listed | {"repository": "someone/gone"},
    ]
    path = tmp_path / "list.csv.gz"
    with gzip.open(path, "wt", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    out = tmp_path / "out"
    command = ["--clips", str(path), "--out", str(out), "--work", str(tmp_path / "work")]
    rebuild.main([*command, "--host", f"file://{tmp_path}/host/"])
    said = capsys.readouterr().out
    assert "left out: someone/gone" in said and "left out: someone/sounds/b.wav" in said
    assert "1 of 3 clips" in said
    built, rate = soundfile.read(out / "train/dog-barking/sounds-1.flac")
    assert rate == 16000 and len(built) == 24000
    assert np.corrcoef(built, sound[8000:32000])[0, 1] > 0.999
    assert "A. Nobody" in (out / "ATTRIBUTION.csv").read_text()
    prepare.main(["--build", str(out), "--out", str(tmp_path / "set")])
    (clip,) = ClipSource(tmp_path / "set", "train").clips
    assert clip.id == "dog-barking/sounds-1"


def test_the_list_of_repositories_is_complete():
    """Every clip names its file, licence and author; the licences are in the attribution."""
    rows = rebuild.read_list(FOLDER / "repositories.csv.gz")
    assert len(rows) > 3000 and not {"test"} & {r["split"] for r in rows}
    for name in ("repository", "path", "label", "caption", "tags", "licence", "group", "start"):
        assert all(r[name] for r in rows), name
    assert all(len(r["commit"]) == 40 for r in rows)
    assert len({(r["label"], r["name"]) for r in rows}) == len(rows)
    with open(FOLDER / "ATTRIBUTION.csv", newline="", encoding="utf-8") as lines:
        named = {line["package"] for line in csv.DictReader(lines)}
    assert {r["package"] for r in rebuild.attribution(rows)} <= named
    assert not [i for i, why in checks.refuse_rows(table(rows)).items()]


def table(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        r | {"source": r["path"], "file": r["name"], "id": r["label"] + r["name"]} for r in rows
    ]


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
