"""``hsmtss benchmark draw`` on small copies of the published sets, in exactly their layouts."""

import csv

import numpy as np
import pytest

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.cli.main import main
from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, mix
from hsmtss_jax.evaluation.benchmarks.pair_list import read_pair_list

SOUNDS = ("a dog barks", "rain falls down", "church bells ring", "an engine idles")


def write_table(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


def write_sound(path, number, seconds):
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * 8_000)) / 8_000
    write_audio(path, 0.1 * np.sin(2 * np.pi * 150 * (number + 1) * time), 8_000)


def audiocaps(root):
    head = ("audiocap_id", "youtube_id", "start_time", "caption")
    for split in ("train", "val"):
        write_table(root / f"{split}.csv", head)
    rows = [
        (5 * i + j, f"video{i:06}", 30, text) for i, text in enumerate(SOUNDS) for j in range(5)
    ]
    write_table(root / "test.csv", head, *rows)
    for i in range(4):
        write_sound(root / "test" / f"video{i:06}_30.wav", i, 10.0)


def clotho(root):
    head = ("file_name", *(f"caption_{n}" for n in range(1, 6)))
    about = ("file_name", "keywords", "sound_id", "sound_link", "start_end_samples", "license")
    for part in ("development", "validation", "evaluation"):
        names = [f"{part} {i}.wav" for i in range(4)]
        rows = [(name, *[text] * 5) for name, text in zip(names, SOUNDS, strict=True)]
        write_table(root / f"clotho_captions_{part}.csv", head, *rows)
        links = [(name, "", str(i), "", "", "CC0") for i, name in enumerate(names)]
        write_table(root / f"clotho_metadata_{part}.csv", about, *links)
        for i, name in enumerate(names if part == "evaluation" else ()):
            write_sound(root / part / name, i, 15.0 + i)
        for i, name in enumerate(names if part != "evaluation" else ()):
            write_sound(root / part / name, i, 0.1)


def fsd50k(root):
    truth, labels = root / "FSD50K.ground_truth", ("Bark", "Rain", "Church_bell", "Idling")
    write_table(truth / "dev.csv", ("fname", "labels", "mids", "split"))
    rows = [(100 + i, name, "/m/0") for i, name in enumerate(labels)]
    write_table(truth / "eval.csv", ("fname", "labels", "mids"), *rows)
    for part in ("dev", "eval"):
        path = root / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    for i in range(4):
        write_sound(root / "FSD50K.eval_audio" / f"{100 + i}.wav", i, 5.0 + i)


def music(root):
    names = ("accordion", "violin", "tuba", "erhu")
    rows = [(f"audio/{n}/video{i}.wav", f"frames/{n}", 200, n) for i, n in enumerate(names)]
    write_table(root / "test.csv", *rows)
    for i, name in enumerate(names):
        write_sound(root / "audio" / name / f"video{i}.wav", i, 40.0)


def three(root):
    for each in (audiocaps, clotho, fsd50k):
        each(root / each.__name__)


@pytest.mark.parametrize(
    ("name", "make", "seconds", "limit"),
    [
        ("audiocaps", audiocaps, {10.0}, 15),
        ("clotho", clotho, {15.0, 16.0, 17.0, 18.0}, 15),
        ("fsd50k", fsd50k, {5.0, 6.0, 7.0, 8.0}, 15),
        ("music", music, {10.0}, 5),
        ("3sets", three, {5.0, 6.0, 7.0, 8.0, 10.0}, 15),
    ],
)
def test_pairs_of_a_set(name, make, seconds, limit, tmp_path, capsys):
    raw, out = tmp_path / "raw", tmp_path / "pairs.csv"
    make(raw)
    words = ["benchmark", "draw", name, f"--recordings={raw}", "-o", str(out), "--count=24"]
    assert main(words) == 0
    assert "24 pairs" in capsys.readouterr().out
    rows = read_pair_list(out)
    assert {row.seconds for row in rows} == seconds
    assert max(abs(row.snr_db) for row in rows) <= limit
    assert all(row.text and row.text_other and row.target != row.other for row in rows)
    recordings = Recordings(raw)
    assert recordings.missing(rows) == []
    mixed = mix(rows[0], recordings)
    assert len(mixed.mixture) == round(16_000 * rows[0].seconds) and mixed.target.any()
    again = tmp_path / "again.csv"
    assert main([*words[:4], "-o", str(again), "--count=24"]) == 0
    assert again.read_text() == out.read_text()


def test_missing_recordings_are_one_line(tmp_path, capsys):
    music(tmp_path / "raw")
    (tmp_path / "raw" / "audio" / "tuba" / "video2.wav").unlink()
    words = ["benchmark", "draw", "music", f"--recordings={tmp_path / 'raw'}", "--count=3"]
    assert main([*words, "-o", str(tmp_path / "pairs.csv")]) == 2
    error = capsys.readouterr().err
    assert "lacks 1 of 4 recordings" in error and error.count("\n") == 1
    assert not (tmp_path / "pairs.csv").exists()
    assert main([*words, "-o", str(tmp_path / "pairs.csv"), "--skip-missing"]) == 0
