"""Every experiment at every size: its init and its training step type-check at their real shapes."""

import json

import jax
import jax.numpy as jnp
import pytest

from hsmtss_jax.config import SIZES, from_json, load_config, to_json
from hsmtss_jax.stages import STAGES
from hsmtss_jax.testing.bundles import ROOT, make_stage
from hsmtss_jax.train.optim import make_optimizer
from hsmtss_jax.train.state import create_state
from hsmtss_jax.train.step import make_step

CASES = [(name, size) for name in STAGES for size in SIZES]


@pytest.mark.parametrize(("name", "size"), CASES)
def test_init_and_step_have_shapes(name, size):
    config = load_config(ROOT / "configs" / f"{name}.py", size)
    stage = make_stage(name, size, abstract=True)
    batch = stage.batch_spec()
    frozen = {key: _specs(bundle.params) for key, bundle in stage.upstream.items()}
    key = jax.eval_shape(lambda: jax.random.key(0))
    params, aux = jax.eval_shape(stage.init, key, batch, frozen)
    assert set(params) == set(stage.objectives()) == set(config.optim)
    optimizers = {
        group: make_optimizer(config.optim[group], params[group], config.run.steps)
        for group in params
    }
    averaged = {group for group, optim in config.optim.items() if optim.ema}
    state = jax.eval_shape(lambda p, a: create_state(p, a, optimizers, averaged), params, aux)
    step = make_step(stage.objectives(), optimizers, config.optim, config.run.steps)
    used = {key: value for key, value in frozen.items() if key not in stage.init_only_names}
    after, metrics = jax.eval_shape(step, state, batch, used, key)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert all(value.shape == () for value in metrics.values())
    values = jax.eval_shape(stage.eval_metrics, state.params, state.aux, used, batch, key)
    assert {value.shape for value in values.values()} == {(stage.data.batch_size,)}


@pytest.mark.parametrize(("name", "size"), CASES)
def test_json_gives_the_config_back(name, size):
    config = load_config(ROOT / "configs" / f"{name}.py", size)
    text = to_json(config)
    json.loads(text)
    assert from_json(text, STAGES[name][0]) == config


def _specs(tree):
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, jnp.float32), tree)
