import numpy as np
import pytest

from hsmtss_jax.data.labelled import Fold, LabelledClips, cross_validation
from hsmtss_jax.evaluation import probe
from hsmtss_jax.evaluation.probe_training import Point, ProbeTraining

CLASSES, WIDTH = 3, 6
QUICK = ProbeTraining(
    hidden=16, learning_rates=(1e-2,), dropouts=(0.1,), batch=32, epochs=30, patience=4, seeds=2
)


def clips(per_class=60, rounds=None):
    labels = np.tile(np.arange(CLASSES), per_class)
    if rounds is None:
        third = len(labels) // 3
        rounds = (Fold(*(np.arange(k * third, (k + 1) * third) for k in range(3))),)
    return LabelledClips(
        name="synthetic",
        classes=("a", "b", "c"),
        labels=labels,
        groups=tuple(str(i // 2) for i in range(len(labels))),
        folds=rounds,
        audio=lambda row: np.zeros(0, np.float32),
    )


def vectors(labels, distance, seed=0):
    rng = np.random.default_rng(seed)
    centres = distance * rng.normal(size=(CLASSES, WIDTH))
    return (centres[labels] + rng.normal(size=(len(labels), WIDTH))).astype(np.float32)


def test_separable_features_are_separated_and_noise_is_not():
    data = clips()
    clear, noise = (probe.run(vectors(data.labels, d), data, QUICK) for d in (5.0, 0.0))
    assert probe.score(clear, data).accuracy.mean > 0.95
    found = probe.score(noise, data).accuracy
    assert found.mean == pytest.approx(1 / CLASSES, abs=0.15) and found.count == CLASSES * 20
    apart = probe.difference(clear, noise, data).accuracy
    assert apart.low > 0.3 and len(clear.seeds) == QUICK.seeds


def test_every_fold_is_tested_once():
    data = clips(30, cross_validation([str(i % 5) for i in range(90)]))
    outcome = probe.run(vectors(data.labels, 5.0), data, QUICK)
    assert sorted(outcome.tested) == list(range(90))
    assert probe.score(outcome, data).accuracy.mean > 0.9


def test_standardising_uses_the_training_part_alone():
    data = clips()
    x = vectors(data.labels, 1.0)
    scaled = probe.scaled(x, data.folds[0].train, ProbeTraining(standardise=True))
    part = scaled[data.folds[0].train]
    np.testing.assert_allclose(part.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(part.std(axis=0), 1, atol=1e-4)
    assert abs(scaled[data.folds[0].test].mean()) > 1e-3
    assert probe.scaled(x, data.folds[0].train, QUICK) is x


def test_chance_and_reports_by_hand():
    labels = np.array([0, 0, 1, 0, 1, 1, 0])
    parts = Fold(np.array([0, 1, 2]), np.array([3]), np.array([4, 5, 6]))
    data = LabelledClips("x", ("a", "b"), labels, tuple("rrrsttu"), (parts,), lambda row: labels)
    floor = probe.chance(data)
    assert (floor.commonest, floor.uniform) == (pytest.approx(1 / 3), 0.5)
    point = Point(1e-3, 0.1)
    outcome = probe.ProbeOutcome(
        np.array([1.0, 0.5, 0.0]), parts.test, point, {point: 0.9}, (0.4, 0.6), 4
    )
    scores = {"s": probe.score(outcome, data)}
    assert scores["s"].accuracy.mean == 0.5 and scores["s"].by_class.mean == pytest.approx(0.375)
    assert scores["s"].deviation == pytest.approx(0.1)
    report = probe.report(scores, {"s": outcome}, data, {})
    assert "| S of AudioMAE | 50.0 [" in report.table()
    assert "| commonest class | 33.3 | 50.0 | - |" in report.table()
    document = report.to_json()
    assert document["about"]["rounds"] == [[3, 1, 3]]
    assert document["rows"]["s"][0] == {"recording": "t", "label": "b", "correct": 1.0}
