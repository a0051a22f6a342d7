"""A stage made ready for a mesh: its layout, what a checkpoint says of it, the release."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.config import MeshConfig, OptimConfig
from hsmtss_jax.conversion import override, to_dict
from hsmtss_jax.train.plan import jit_step, prepare, prepare_abstract, release
from tests.train.toy import ToyStage, toy_config, toy_stage


class Starting(ToyStage):
    """Reads one bundle at every step and another one only to start from."""

    upstream_names = ("encoder", "start")
    init_only_names = ("start",)


def bundle(name):
    params = {"kernel": np.ones((2, 2), np.float32)}
    return Bundle(stage=name, config={"name": name}, params=params, digest=f"of {name}")


@pytest.fixture(scope="module")
def plan():
    optim = dataclasses.replace(toy_config().optim["first"], ema=0.5)
    config = toy_config(optim={"first": optim, "second": toy_config().optim["second"]})
    upstream = {name: bundle(name) for name in Starting.upstream_names}
    return prepare(config, Starting(config.stage, config.data, upstream))


def test_the_state_is_laid_out_before_anything_is_computed(plan):
    assert set(plan.shapes.params) == set(plan.optimizers) == {"first", "second"}
    assert set(plan.shapes.ema) == {"first"}
    leaves = jax.tree.leaves((plan.shapes, plan.abstract))
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in leaves)
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), plan.shapes)
    assert shapes == jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), plan.init())


def test_steps_do_not_read_what_init_started_from(plan):
    assert set(plan.frozen) == {"encoder", "start"} and set(plan.step_frozen) == {"encoder"}
    inputs = plan.eval_inputs(plan.init(), {"x": jnp.zeros((1, 4))})
    assert set(inputs.frozen) == {"encoder"} and inputs.batch["x"].shape == (1, 4)


def test_a_checkpoint_says_where_it_comes_from(plan):
    digests = {"encoder": "of encoder", "start": "of start"}
    assert plan.identity == {"experiment": to_dict(plan.config), "upstream": digests}
    assert dataclasses.replace(plan, origin="abc").identity["init_from"] == "abc"


def test_the_release_holds_the_average(plan):
    state = plan.init()
    averaged = jax.tree.map(lambda x: jnp.full(x.shape, 7.0), state.ema)
    released = release(dataclasses.replace(plan, origin="abc"), state.replace(ema=averaged), 3)
    assert released.stage == "toy" and released.upstream == plan.identity["upstream"]
    assert released.meta["step"] == 3 and released.meta["init_from"] == "abc"
    assert all(np.all(leaf == 7.0) for leaf in jax.tree.leaves(released.params))


def test_init_must_return_the_groups_that_are_trained():
    class One(ToyStage):
        def init(self, key, batch, frozen):
            params, aux = super().init(key, batch, frozen)
            return {"first": params["first"]}, aux

    config = toy_config()
    with pytest.raises(ValueError, match=r"init of stage 'toy' returned the groups \['first'\]"):
        prepare(config, One(config.stage, config.data))


def test_large_leaves_are_split_over_fsdp():
    config = toy_config(mesh=MeshConfig(data=2, fsdp=2, shard_from=1))
    plan = prepare(config, toy_stage(config))
    state = plan.init()
    kernel = state.params["first"]["hidden"]["kernel"]
    assert kernel.shape == (4, 8) and kernel.addressable_shards[0].data.shape == (4, 4)
    moment = jax.tree.leaves(state.opt_state["first"], is_leaf=lambda x: x is None)
    assert any(leaf.ndim == 2 and not leaf.is_fully_replicated for leaf in moment)
    assert state.step.is_fully_replicated


def test_groups_must_have_optimisers():
    config = toy_config(optim={"first": OptimConfig()})
    with pytest.raises(
        ValueError, match=r"trains the groups first, second; config\.optim holds first"
    ):
        prepare(config, toy_stage(config))


def test_sizes_that_do_not_fit_are_told_in_a_line():
    class Crooked(ToyStage):
        def init(self, key, batch, frozen):
            jnp.ones((3, 4)) @ jnp.ones((5, 6))

    config = toy_config()
    with pytest.raises(ValueError, match=r"the sizes of stage 'toy' do not fit .*\(none\): "):
        prepare(config, Crooked(config.stage, config.data))


def test_the_best_is_told_by_a_metric_of_the_stage():
    config = toy_config()
    assert prepare(config, toy_stage(config)).best_metric() == "loss"
    run = dataclasses.replace(config.run, best_metric="one")
    config = dataclasses.replace(config, run=run)
    assert prepare(config, toy_stage(config)).best_metric() == "one"


def lowered(*changes: str) -> str:
    """The program of a toy's step with these changes of its config."""
    config = override(toy_config(), changes)
    plan = prepare(config, toy_stage(config))
    batch = {
        name: jnp.zeros(spec.shape, spec.dtype) for name, spec in plan.stage.batch_spec().items()
    }
    return jit_step(plan).lower(plan.init(), batch, plan.step_frozen, plan.key).as_text()


def test_another_length_or_learning_rate_is_the_same_program():
    rates = ("optim.first.lr=0.5", "optim.first.warmup_steps=7", "optim.second.end_lr=0.1")
    assert lowered() == lowered("run.steps=1000", *rates)
    assert lowered() != lowered("optim.first.b1=0.5")


def test_a_plan_without_weights_is_the_same_program():
    config = toy_config()
    plan = prepare(config, toy_stage(config))
    abstract = prepare_abstract(config, toy_stage(config), plan.mesh)
    assert abstract.shapes == plan.shapes and abstract.shardings == plan.shardings
    batch = plan.stage.batch_spec()
    texts = [
        jit_step(each).lower(each.abstract, batch, each.step_frozen, each.key).as_text()
        for each in (plan, abstract)
    ]
    assert texts[0] == texts[1]
