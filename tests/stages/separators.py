"""The separator stages at their tiny size; drawn features stand for the frozen chain, which costs most.

``read`` of a real batch is tested in ``test_base.py`` and ``test_single_stage.py``.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from hsmtss_jax.models.semantics import Semantics
from hsmtss_jax.models.separators import TextCondition
from hsmtss_jax.stages.base import MixtureFeatures
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage, step_input
from hsmtss_jax.train.stage import Stage, StepInput

BATCH = 4


class Compiled(NamedTuple):
    """One program of a stage's loss, and the optimiser's update of its parameters."""

    gradient: Any  # StepInput, weights of the config -> (loss, metrics), gradients by group
    update: Any  # gradients, optimiser state, parameters -> parameters, optimiser state
    start: Any  # optimiser state


def waves_of(stage: Stage) -> dict[str, jax.Array]:
    """Return noise as mixture, its first half as target; captions of three to six tokens."""
    rng = np.random.default_rng(0)
    spec = stage.batch_spec()
    mixture = 0.1 * rng.normal(size=spec["mixture"].shape).astype(np.float32)
    tokens = spec["text_ids"].shape[1]
    mask = np.arange(tokens)[None] < np.arange(3, 3 + BATCH)[:, None]
    return {
        "mixture": jnp.asarray(mixture),
        "target": jnp.asarray(mixture * (np.arange(mixture.shape[1]) < 20_000)),
        "length": jnp.full((BATCH,), mixture.shape[1], jnp.int32),
        "text_ids": jnp.asarray(rng.integers(4, 60, mask.shape) * mask, jnp.int32),
        "text_mask": jnp.asarray(mask),
        "task": jnp.arange(BATCH, dtype=jnp.int32) % 2,
    }


def drawn_features(stage: Stage) -> MixtureFeatures:
    """Draw features in the shapes of ``stage.read``; a mixture is its target and an offset."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(stage.read, frozen_params(stage), stage.batch_spec())
    noise = lambda spec: jnp.asarray(rng.normal(size=spec.shape), spec.dtype)  # noqa: E731
    upto = lambda spec, counts: jnp.arange(spec.shape[1])[None] < counts[:, None]  # noqa: E731
    target: Semantics = jax.tree.map(noise, shapes.target)
    return MixtureFeatures(
        mixture=jax.tree.map(lambda x: x + 1.0, target),
        target=target,
        condition=TextCondition(
            noise(shapes.condition.text),
            upto(shapes.condition.text_mask, jnp.arange(3, 3 + BATCH)),
            noise(shapes.condition.task),
            jnp.ones(shapes.condition.task_mask.shape, bool),
        ),
    )


def as_batch(features: MixtureFeatures) -> dict[str, jax.Array]:
    """Return a batch that holds the features in place of sound and words."""
    return {str(i): leaf for i, leaf in enumerate(jax.tree.leaves(features))}


def reading(stage: Stage, features: MixtureFeatures) -> Stage:
    """Return the stage with features read from ``as_batch`` in place of its frozen chain."""
    structure = jax.tree.structure(features)

    def read(frozen: Any, batch: Any) -> MixtureFeatures:
        return structure.unflatten([batch[str(i)] for i in range(structure.num_leaves)])

    stage.read = read  # type: ignore[attr-defined]
    return stage


@functools.cache
def features_of(name: str) -> MixtureFeatures:
    return drawn_features(make_stage(name, batch_size=BATCH))


@functools.cache
def stage_of(name: str) -> Stage:
    return reading(make_stage(name, batch_size=BATCH), features_of(name))


@functools.cache
def params_of(name: str) -> dict[str, Any]:
    """Parameters by group, drawn: nothing is compiled."""
    stage = make_stage(name, batch_size=BATCH)
    args = jax.random.key(0), stage.batch_spec(), frozen_params(stage)
    return draw(jax.eval_shape(stage.init, *args)[0], name)


def inputs_of(name: str, key: int = 1) -> StepInput:
    batch = as_batch(features_of(name))
    return step_input(stage_of(name), params_of(name), batch, frozen={}, key=key)


@functools.cache
def compiled(name: str) -> Compiled:
    """Compile loss and gradient of a stage once, for all weights and probabilities of its config."""
    base, features = stage_of(name), features_of(name)
    optimizer = optax.adam(3e-3)

    @jax.jit
    def gradient(inputs: StepInput, weights: dict[str, Any]) -> Any:
        config = dataclasses.replace(base.config, **weights)
        stage = reading(type(base)(config, base.data, base.upstream), features)

        def loss(params: Any) -> Any:
            loss, report = stage.objectives()["model"](inputs.replace(params=params))
            return loss, report.metrics

        return jax.value_and_grad(loss, has_aux=True)(inputs.params)

    @jax.jit
    def update(grads: Any, state: Any, params: Any) -> Any:
        updates, state = optimizer.update(grads, state)
        return optax.apply_updates(params, updates), state

    return Compiled(gradient, update, optimizer.init(params_of(name)))


def gradient_of(name: str, inputs: StepInput, **weights: float) -> Any:
    """Return ((loss, metrics), gradients by group); fields of the config may be changed."""
    numbers = {
        key: value for key, value in vars(stage_of(name).config).items() if type(value) is float
    }
    return compiled(name).gradient(inputs, numbers | weights)


def losses_of_steps(name: str, count: int = 8) -> list[float]:
    """Return the losses of a few steps on one batch."""
    program, inputs = compiled(name), inputs_of(name)
    state, losses = program.start, []
    for _ in range(count):
        (loss, metrics), grads = gradient_of(name, inputs)
        assert all(np.isfinite(value) and np.ndim(value) == 0 for value in metrics.values())
        params, state = program.update(grads, state, inputs.params)
        inputs = inputs.replace(params=params)
        losses.append(float(loss))
    return losses


def assert_evaluates(name: str, *kinds: str) -> None:
    """Assert that ``eval_metrics`` compares each kind of feature, per example, whatever the key."""
    evaluate = jax.jit(stage_of(name).eval_metrics)
    one, two = (evaluate(inputs_of(name, key)) for key in (1, 2))
    keys = {f"{kind}/{value}" for kind in kinds for value in ("cos", "l1")}
    assert set(one) == {"loss", *keys, *(f"{key}_mixture" for key in keys)}
    for key, value in one.items():
        assert value.shape == (BATCH,) and np.all(np.isfinite(value)), key
        np.testing.assert_array_equal(value, two[key])


def assert_patch_maps(name: str, *names: str) -> None:
    """Assert that the panels of those names are images of 8 x 16 patches."""
    panels = stage_of(name).panels(inputs_of(name))
    assert set(panels) == set(names)
    for panel in panels.values():
        assert panel.kind == "image" and panel.value.shape == (8, 16)
