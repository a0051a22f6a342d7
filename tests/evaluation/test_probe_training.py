import numpy as np
import pytest

from hsmtss_jax.evaluation.probe_training import Point, ProbeTraining, even_batch, fit

CLASSES = 3
QUICK = ProbeTraining(hidden=16, batch=32, epochs=30, patience=4)
POINT = Point(1e-2, 0.1)


def clips(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sixty vectors of three classes that lie far apart, and their labels."""
    centres = 5.0 * np.random.default_rng(0).normal(size=(CLASSES, 6))
    labels = np.tile(np.arange(CLASSES), 20)
    noise = np.random.default_rng(seed).normal(size=(60, 6))
    return (centres[labels] + noise).astype(np.float32), labels


def test_an_epoch_has_as_many_steps_as_hear_s():
    for count, steps in ((1200, 2), (4619, 5), (1024, 1), (1025, 2), (7, 1), (2, 1)):
        batch = even_batch(count, 1024)
        assert batch <= 1024 and count // batch == steps and count - steps * batch < steps


def test_equal_seeds_give_equal_probes():
    a, b, c = (fit(clips(1), clips(2), CLASSES, POINT, QUICK, seed) for seed in (0, 0, 1))
    first, same, other = (x.variables["params"]["hidden"]["kernel"] for x in (a, b, c))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_training_stops_early_at_its_best_check():
    fitted = fit(clips(1), clips(2), CLASSES, POINT, QUICK, 0)
    assert 3 <= fitted.epoch < 30 and fitted.epoch % 3 == 0 and fitted.accuracy > 0.95
    x, labels = clips(3)
    assert np.mean(fitted.predict(x) == labels) > 0.95


def test_a_single_clip_is_too_few():
    x, labels = clips(1)
    with pytest.raises(ValueError, match="two training clips"):
        fit((x[:1], labels[:1]), clips(2), CLASSES, POINT, QUICK, 0)
