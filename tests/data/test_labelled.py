"""The published layouts, as synthetic folders of the real names."""

import csv
import json

import numpy as np
import pytest
import soundfile

from hsmtss_jax.data.labelled import cross_validation, read_labelled
from hsmtss_jax.testing.corpus import LABELS, write_tiny_corpus

COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def _wav(path, seconds=0.1, rate=16000, level=0.1):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * rate), level), rate)


def esc50(root, columns=COLUMNS):
    """Ten clips of two classes, two takes of a recording in each fold, 44.1 kHz as published."""
    rows = []
    for fold in range(1, 6):
        for target, category in ((0, "dog"), (10, "rain")):
            name = f"{fold}-{fold}00{target}-A-{target}.wav"
            _wav(root / "audio" / name, rate=44100, level=0.01 * (fold + target))
            row = (name, fold, target, category, "True", f"{fold}00{target}", "A")
            rows.append(dict(zip(COLUMNS, row, strict=True)))
    (root / "meta").mkdir()
    with open(root / "meta" / "esc50.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return root


def hear(root, splits, *, rate=16000, kind="multiclass"):
    """A HEAR task folder; splits: name -> {file: label}."""
    root.mkdir()
    meta = {"task_name": "speech_commands", "embedding_type": "scene", "prediction_type": kind}
    (root / "task_metadata.json").write_text(json.dumps(meta))
    (root / "labelvocabulary.csv").write_text("idx,label\n1,yes\n0,_silence_\n2,no\n")
    for name, files in splits.items():
        (root / f"{name}.json").write_text(json.dumps({f: [label] for f, label in files.items()}))
        for file in files:
            _wav(root / str(rate) / name / file, rate=rate)
    return root


def test_esc50_is_five_folds(tmp_path):
    clips = read_labelled(esc50(tmp_path))
    assert (clips.name, clips.classes, len(clips.folds)) == ("ESC-50", ("dog", "rain"), 5)
    np.testing.assert_array_equal(clips.labels, [0, 1] * 5)
    assert clips.groups[:2] == ("1000", "10010")
    first, last = clips.folds[0], clips.folds[4]
    np.testing.assert_array_equal(first.test, [0, 1])
    np.testing.assert_array_equal(first.validation, [2, 3])
    np.testing.assert_array_equal(first.train, [4, 5, 6, 7, 8, 9])
    np.testing.assert_array_equal(last.validation, [0, 1])  # after the last fold comes the first
    sound = clips.audio(3)
    assert sound.dtype == np.float32 and len(sound) == 1600  # resampled from 44.1 kHz
    assert np.median(sound) == pytest.approx(0.12, abs=0.005)


def test_hear_with_train_valid_and_test(tmp_path):
    splits = {
        "train": {"a.wav": "yes", "b.wav": "no", "c.wav": "_silence_"},
        "valid": {"d.wav": "yes"},
        "test": {"a.wav": "no"},
    }
    clips = read_labelled(hear(tmp_path / "speech_commands-v0.0.2-5h", splits))
    assert clips.classes == ("_silence_", "yes", "no") and clips.name == "speech_commands"
    np.testing.assert_array_equal(clips.labels, [1, 2, 0, 1, 2])
    (parts,) = clips.folds
    np.testing.assert_array_equal(parts.train, [0, 1, 2])
    np.testing.assert_array_equal(parts.validation, [3])
    np.testing.assert_array_equal(parts.test, [4])
    assert clips.groups[0] == "train/a.wav" and clips.groups[4] == "test/a.wav"
    assert len(clips.audio(4)) == 1600


def test_hear_with_folds_at_another_rate(tmp_path):
    splits = {f"fold0{k}": {f"{k}.wav": "yes"} for k in range(3)}
    clips = read_labelled(hear(tmp_path / "esc50-v2.0.0-full", splits, rate=48000))
    assert len(clips.folds) == 3 and len(clips.audio(0)) == 1600
    np.testing.assert_array_equal(clips.folds[1].test, [1])


def test_a_prepared_set_keeps_its_splits(tmp_path):
    clips = read_labelled(write_tiny_corpus(tmp_path))
    (parts,) = clips.folds
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [24, 8, 8]
    assert clips.classes == tuple(sorted(LABELS)) and clips.left_out == 0
    assert clips.groups[0] == "low tone-train-0"
    assert len(np.unique(clips.labels[parts.test])) == 8
    assert clips.audio(39).dtype == np.float32


def test_two_folds_are_too_few():
    with pytest.raises(ValueError, match="three folds"):
        cross_validation(["1", "2", "2"])


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no data set at"):
        read_labelled(tmp_path / "absent")
    with pytest.raises(ValueError, match="no known layout"):
        read_labelled(tmp_path)
    with pytest.raises(ValueError, match=r"esc50.csv cannot be read \(it lacks src_file"):
        read_labelled(esc50(tmp_path, COLUMNS[:-2]))
    with pytest.raises(ValueError, match="only one label a clip"):
        read_labelled(hear(tmp_path / "a", {"train": {}}, kind="multilabel"))
    splits = {"train": {"a.wav": "maybe"}, "valid": {}, "test": {}}
    with pytest.raises(ValueError, match=r"a.wav is labelled \['maybe'\]"):
        read_labelled(hear(tmp_path / "b", splits))


def test_a_part_without_clips_and_a_single_class(tmp_path):
    splits = {"train": {"a.wav": "yes"}, "valid": {"b.wav": "no"}, "test": {}}
    root = hear(tmp_path / "task", splits)
    with pytest.raises(ValueError, match=r"test part of .* has no clip"):
        read_labelled(root)
    (root / "labelvocabulary.csv").write_text("idx,label\n0,yes\n")
    (root / "valid.json").write_text('{"b.wav": ["yes"]}')
    with pytest.raises(ValueError, match="has 1 classes"):
        read_labelled(root)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labelvocabulary.csv", "label\nyes\n", "it lacks idx"),
        ("labelvocabulary.csv", "idx,label\nfirst,yes\n", "invalid literal"),
        ("labelvocabulary.csv", "idx,label\n1\n", "a row is too short"),
        ("valid.json", "{", "valid.json is not JSON"),
        ("task_metadata.json", "", "task_metadata.json is not JSON"),
    ],
)
def test_a_damaged_table_is_named(tmp_path, name, content, message):
    root = hear(tmp_path / "task", {"train": {"a.wav": "yes"}, "valid": {}, "test": {}})
    (root / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_labelled(root)
