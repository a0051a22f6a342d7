"""Optimisers: schedule, clipping, decay and freezing by regex."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.config import OptimConfig
from hsmtss_jax.train.optim import make_optimizer, make_schedule, paths, rates_of

PARAMS = {
    "encoder": {"kernel": jnp.ones((3, 2)), "bias": jnp.ones((2,))},
    "head": {"kernel": jnp.full((2, 2), 2.0)},
}


def updates(config: OptimConfig, grads=None, steps: int = 1):
    """The change of PARAMS after ``steps`` updates with constant gradients."""
    grads = jax.tree.map(jnp.zeros_like, PARAMS) if grads is None else grads
    optimizer = make_optimizer(config, PARAMS, steps=10)
    params, state = PARAMS, optimizer.init(PARAMS)
    for _ in range(steps):
        change, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, change)
    return jax.tree.map(lambda new, old: np.asarray(new - old), params, PARAMS), state


def plain(**changes) -> OptimConfig:
    base = {"lr": 0.1, "warmup_steps": 0, "schedule": "constant", "weight_decay": 0.0, "clip": 0.0}
    return OptimConfig(**{**base, **changes})


@pytest.mark.parametrize("schedule", ["cosine", "constant", "staircase"])
def test_the_numbers_of_a_schedule_may_be_arguments(schedule):
    config = OptimConfig(
        lr=1.0,
        warmup_steps=4,
        end_lr=0.1,
        schedule=schedule,
        stairs=(0.01, 0.1)[: 2 * (schedule[0] == "s")],
    )
    expected, steps = make_schedule(config, 14), jnp.arange(15)
    other = OptimConfig(schedule=schedule, stairs=config.stairs)
    given = jax.jit(lambda rates, step: make_schedule(other, 1, rates)(step))
    found = [given(rates_of(config, 14), step) for step in steps]
    np.testing.assert_allclose(found, [expected(step) for step in steps], rtol=1e-6)


def test_schedule_rises_then_falls():
    schedule = make_schedule(OptimConfig(lr=1.0, warmup_steps=4, end_lr=0.1), 14)
    values = [float(schedule(step)) for step in range(15)]
    np.testing.assert_allclose(values[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose([values[4], values[9], values[14]], [1.0, 0.55, 0.1], rtol=1e-6)


def test_schedule_of_a_run_shorter_than_its_warmup():
    schedule = make_schedule(OptimConfig(lr=1.0, warmup_steps=100), 10)
    np.testing.assert_allclose(float(schedule(9)), 0.1, rtol=1e-6)


def test_schedule_climbs_stairs():
    config = OptimConfig(lr=1.0, schedule="staircase", stairs=(0.01, 0.1), warmup_steps=3)
    schedule = make_schedule(config, 100)
    values = [float(schedule(step)) for step in range(8)]
    np.testing.assert_allclose(values, [0.01] * 3 + [0.1] * 3 + [1.0] * 2, rtol=1e-6)


def test_amsgrad_keeps_the_largest_moment():
    """After a large gradient a small one moves less than it does with Adam, which forgets."""
    small = jax.tree.map(lambda leaf: 0.01 * jnp.ones_like(leaf), PARAMS)
    large = jax.tree.map(jnp.ones_like, PARAMS)

    def last_change(amsgrad):
        optimizer = make_optimizer(plain(b2=0.5, amsgrad=amsgrad), PARAMS, 10)
        state = optimizer.init(PARAMS)
        for grads in (large, *[small] * 30):
            change, state = optimizer.update(grads, state, PARAMS)
        return abs(float(change["head"]["kernel"][0, 0]))

    assert last_change(True) < 0.2 * last_change(False)


def test_decay_spares_what_the_regex_names():
    change, _ = updates(plain(weight_decay=0.5, decay_exclude="bias$"))
    np.testing.assert_allclose(change["encoder"]["kernel"], -0.05, rtol=1e-6)
    np.testing.assert_allclose(change["encoder"]["bias"], 0.0)


def test_freeze_keeps_no_state_and_moves_nothing():
    grads = jax.tree.map(jnp.ones_like, PARAMS)
    change, state = updates(
        plain(freeze="^encoder/", weight_decay=0.1, decay_exclude="bias"), grads
    )
    assert not change["encoder"]["kernel"].any() and not change["encoder"]["bias"].any()
    assert change["head"]["kernel"].all()
    assert max(leaf.size for leaf in jax.tree.leaves(state)) == 4


def test_coupled_l2_enters_the_moments():
    change, _ = updates(plain(l2=0.1))
    np.testing.assert_allclose(change["head"]["kernel"], -0.1, rtol=1e-4)


@pytest.mark.parametrize("per_tensor", [False, True])
def test_clip(per_tensor):
    """Seen in Adam's first moment: 0.1 x the clipped gradient."""
    grads = jax.tree.map(lambda leaf: 100 * jnp.ones_like(leaf), PARAMS)
    _, state = updates(plain(clip=1.0, clip_per_tensor=per_tensor), grads)
    moments = next(part for part in state if hasattr(part, "mu")).mu
    norms = [10 * float(jnp.linalg.norm(leaf)) for leaf in jax.tree.leaves(moments)]
    expected = [1.0] * 3 if per_tensor else np.sqrt(np.array([2, 6, 4]) / 12)
    np.testing.assert_allclose(norms, expected, rtol=1e-5)


def test_switches_leave_the_state_structure_alone():
    """A run may be resumed with clipping, decay or L2 switched on or off."""
    states = [
        make_optimizer(config, PARAMS, 10).init(PARAMS)
        for config in (
            plain(),
            plain(clip=1.0, weight_decay=0.1, decay_exclude="bias", l2=1e-6),
            plain(clip=1.0, clip_per_tensor=True),
        )
    ]
    assert len({str(jax.tree.structure(state)) for state in states}) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"freeze": "decoder"}, "matches no parameter"),
        ({"freeze": "."}, "leaves nothing to train"),
        ({"freeze": "("}, "not a regular expression"),
        ({"weight_decay": 0.1, "decay_exclude": "gamma"}, "matches no parameter"),
        ({"weight_decay": 0.1, "decay_exclude": "."}, "matches every parameter"),
        ({"schedule": "linear"}, "choose cosine or constant or staircase"),
    ],
)
def test_errors(changes, words):
    with pytest.raises(ValueError, match=words):
        make_optimizer(plain(**changes), PARAMS, 10)


def test_paths():
    assert paths(PARAMS) == ["encoder/bias", "encoder/kernel", "head/kernel"]
