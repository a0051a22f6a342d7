"""The generic step: averages, accumulation, freezing, NaN guard, meshes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax import dist
from hsmtss_jax.config import MeshConfig
from hsmtss_jax.train.plan import jit_step, prepare
from tests.train.toy import ToyModelConfig, ToyStageConfig, host_batches, toy_config, toy_stage

STILL = ToyModelConfig(dropout=0.0)


def run(steps: int = 3, **changes):
    """(list of states, list of metrics) of a few steps; states[0] is the initial one."""
    config = toy_config(**changes)
    plan = prepare(config, toy_stage(config))
    step = jit_step(plan)
    state = plan.init()
    states, metrics = [jax.device_get(state)], []
    for batch in host_batches(plan, steps):
        state, values = step(state, batch, plan.frozen, plan.key)
        states.append(jax.device_get(state))
        metrics.append(jax.device_get(values))
    return states, metrics


def assert_close(tree, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), tree, other)


def with_optim(**changes) -> dict:
    base = toy_config().optim["first"]
    return {"first": dataclasses.replace(base, **changes), "second": base}


def test_groups_update_in_order_and_aux_moves():
    states, metrics = run()
    assert int(states[3].step) == 3 and float(states[3].aux["count"]) == 3
    common = ("loss", "grad_norm", "update_norm", "param_norm", "skipped", "lr")
    groups = {f"{group}/{name}" for group in ("first", "second") for name in common}
    assert set(metrics[0]) == {*groups, "first/mse", "skipped"}
    for group in ("first", "second"):
        moved = jax.tree.map(lambda a, b: np.any(a != b), states[0].params, states[1].params)
        assert all(jax.tree.leaves(moved[group]))


def test_ema_follows():
    states, _ = run(optim=with_optim(ema=0.5))
    assert set(states[0].ema) == {"first"}
    expected = states[0].params["first"]
    for index, state in enumerate(states[1:]):
        decay = min(0.5, (1 + index) / (10 + index))
        expected = jax.tree.map(
            lambda a, b, d=decay: d * a + (1 - d) * b, expected, state.params["first"]
        )
    assert_close(states[3].ema["first"], expected, rtol=1e-6)


def test_accumulation_equals_the_whole_batch():
    stage = ToyStageConfig(model=STILL)
    whole, metrics = run(stage=stage)
    run_config = dataclasses.replace(toy_config().run, accumulate=4)
    parts, parts_metrics = run(stage=stage, run=run_config)
    assert_close(whole[3].params, parts[3].params, rtol=1e-4, atol=1e-6)
    assert_close(metrics[2], parts_metrics[2], rtol=1e-4)
    assert float(parts[3].aux["count"]) == 12  # threaded through the parts


def test_freeze():
    states, metrics = run(optim=with_optim(freeze="^hidden/"))
    first, last = states[0].params["first"], states[3].params["first"]
    assert_close(first["hidden"], last["hidden"])
    assert np.any(first["out"]["kernel"] != last["out"]["kernel"])
    assert float(metrics[0]["first/grad_norm"]) < float(run()[1][0]["first/grad_norm"])


def test_nan_guard_skips_the_update_and_counts():
    states, metrics = run(stage=ToyStageConfig(poison_at=1), optim=with_optim(ema=0.5))
    before, after = states[1], states[2]
    assert np.isnan(metrics[1]["first/loss"])
    for part in ("params", "opt_state"):
        assert_close(getattr(before, part)["first"], getattr(after, part)["first"])
    assert_close(before.ema, after.ema)
    assert float(after.aux["count"]) == float(before.aux["count"])
    assert np.any(before.params["second"]["out"]["bias"] != after.params["second"]["out"]["bias"])
    assert [int(state.skipped) for state in states] == [0, 0, 1, 1] and int(after.step) == 2
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(states[3].params))


@pytest.mark.parametrize("mesh", [MeshConfig(data=4), MeshConfig(data=2, fsdp=2, shard_from=1)])
def test_mesh_equals_one_device(mesh):
    stage = ToyStageConfig(model=STILL)
    one, one_metrics = run(stage=stage)
    many, many_metrics = run(stage=stage, mesh=mesh)
    assert_close(one[3].params, many[3].params, rtol=1e-5, atol=1e-6)
    assert_close(one_metrics[2], many_metrics[2], rtol=1e-5)


def test_state_stays_float32():
    states, _ = run(1)
    floats = [
        leaf for leaf in jax.tree.leaves(states[1]) if jnp.issubdtype(leaf.dtype, jnp.floating)
    ]
    assert {leaf.dtype for leaf in floats} == {np.dtype(np.float32)}


def test_a_loss_above_its_limit_changes_nothing():
    config = toy_config()
    plan = prepare(config, toy_stage(config))
    state, step, (batch,) = plan.init(), jit_step(plan), host_batches(plan, 1)
    before = jax.device_get(state)
    limits = dist.replicate(plan.mesh, {"first": np.float32(1e-3), "second": np.float32(1e3)})
    after, metrics = step(state, batch, plan.step_frozen, plan.key, limits)
    assert_close(before.params["first"], after.params["first"], rtol=0)
    assert (float(metrics["first/skipped"]), float(metrics["second/skipped"])) == (1.0, 0.0)
    assert int(after.skipped) == 1 and int(after.step) == 1
