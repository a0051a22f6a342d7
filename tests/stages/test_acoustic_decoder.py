"""The acoustic decoder stage at its tiny size, on random upstream bundles."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from hsmtss_jax.config import Shard
from hsmtss_jax.stages.acoustic_decoder import AcousticDecoderStage, with_noise
from hsmtss_jax.testing.bundles import frozen_params, make_stage, step_input
from hsmtss_jax.testing.corpus import write_tiny_corpus
from hsmtss_jax.testing.encoders import stub
from hsmtss_jax.train.stage import StepInput

BATCH = 2


@functools.cache
def stage_of() -> AcousticDecoderStage:
    stage = make_stage("acoustic_decoder", batch_size=BATCH)
    assert isinstance(stage, AcousticDecoderStage)
    return stage


@functools.cache
def batch_of() -> dict[str, jax.Array]:
    rng = np.random.default_rng(0)
    audio = 0.1 * rng.normal(size=(BATCH, 40_960)).astype(np.float32)
    audio[1, 16_000:] = 0.0
    return {"audio": jnp.asarray(audio), "length": jnp.array([40_960, 16_000], jnp.int32)}


@functools.cache
def read_of() -> Any:
    """The batch's frozen features, computed once."""
    return jax.jit(stage_of().read)(frozen_params(stage_of()), batch_of())


@functools.cache
def handed() -> AcousticDecoderStage:
    """A stage that is handed ``read_of``'s result in place of its frozen chain."""
    stage = AcousticDecoderStage(stage_of().config, stage_of().data, stage_of().upstream)
    features = read_of()
    stage.read = lambda frozen, batch: features
    return stage


@functools.cache
def params_of() -> Any:
    return jax.jit(stage_of().init)(jax.random.key(0), batch_of(), {})[0]


def test_tokens_and_semantics_come_from_the_upstream_bundles():
    read = read_of()
    assert read.s.shape == (BATCH, 128, 64) and read.s.dtype == jnp.float32
    assert read.tokens.shape == (BATCH, 129, 4) and read.tokens.dtype == jnp.int32
    assert int(read.tokens.min()) >= 0 and int(read.tokens.max()) < 32
    assert read.frames.tolist() == [129, 129]


def test_padding_is_masked_when_asked():
    config = dataclasses.replace(stage_of().config, mask_padding=True)
    stage = AcousticDecoderStage(config, stage_of().data, stage_of().upstream)
    lengths = jnp.array([40_960, 16_000])
    stage.encoders = stub(stage.encoders, local_fn=lambda params, audio: read_of().s)
    stage.codec = _FixedCodec(stage.codec)
    read = stage.read({"tf_codec": {}}, {"audio": batch_of()["audio"], "length": lengths})
    assert read.frames.tolist() == [129, stage_of().codec.token_frames(16_000)] == [129, 51]
    # 51 frames reach into the seventh column of 8 patches
    assert read.prefix_mask.sum(axis=1).tolist() == [128, 7 * 8]
    assert read.prefix_mask[1, : 7 * 8].all() and read_of().prefix_mask.all()


class _FixedCodec:
    """A codec that answers with ``read_of``'s tokens."""

    def __init__(self, codec: Any) -> None:
        self.token_frames = codec.token_frames

    def encode(self, variables: Any, audio: Any) -> jax.Array:
        return read_of().tokens


def test_a_few_steps_lower_the_loss():
    stage, optimizer = handed(), optax.adam(1e-2)
    objective = stage.objectives()["model"]

    @jax.jit
    def step(params, state, key):
        def loss(model):
            inputs = StepInput(
                params={"model": model},
                aux={},
                frozen={},
                batch=batch_of(),
                key=key,
                step=jnp.zeros((), jnp.int32),
            )
            return objective(inputs)

        (value, report), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, value, report

    params = params_of()["model"]
    state, values = optimizer.init(params), []
    for i in range(8):
        params, state, value, report = step(params, state, jax.random.key(i))
        values.append(float(value))
    assert values[0] == pytest.approx(np.log(33), abs=0.1)
    assert values[-1] < values[0] - 0.3
    assert set(report.metrics) == {"cross_entropy", "accuracy"}


def test_eval_metrics_are_per_example():
    evaluate = jax.jit(handed().eval_metrics)
    values = evaluate(step_input(handed(), params_of(), batch_of(), frozen={}))
    assert set(values) == {"cross_entropy", "accuracy"}
    assert all(value.shape == (BATCH,) for value in values.values())
    np.testing.assert_allclose(values["cross_entropy"], np.log(33), atol=0.2)


def test_panels_show_original_codec_and_sample():
    panels = stage_of().panels(step_input(stage_of(), params_of(), batch_of()))
    names = {"original", "codec", "sampled"}
    assert set(panels) == {f"{x}_{kind}" for x in names for kind in ("audio", "spectrogram")}
    assert all(np.isfinite(panel.value).all() for panel in panels.values())
    assert panels["sampled_audio"].value.shape == (40_960,)


def test_noise_is_in_units_of_a_channels_deviation():
    s = jax.random.normal(jax.random.key(0), (400, 8, 3)) * jnp.array([1.0, 10.0, 0.0])[None, None]
    noise = np.asarray(with_noise(jax.random.key(1), s, 0.5) - s)
    rms = np.sqrt((noise**2).mean(axis=(0, 1)))
    np.testing.assert_allclose(rms, [0.5 / 3**0.5, 5 / 3**0.5, 0.0], rtol=0.1)


def test_a_foreign_codec_is_refused():
    stage = stage_of()
    model = dataclasses.replace(stage.config.model, codes=64)
    with pytest.raises(ValueError, match=r"stage\.model\.codes=64, but the upstream bundle has 32"):
        AcousticDecoderStage(
            dataclasses.replace(stage.config, model=model), stage.data, stage.upstream
        )


def test_batches_of_data_have_the_specified_shapes(tmp_path):
    stage = make_stage("acoustic_decoder", batch_size=4, root=str(write_tiny_corpus(tmp_path)))
    batch = next(iter(stage.dataset("validation", Shard(), 0)))
    spec = stage.batch_spec()
    assert {name: (x.shape, x.dtype) for name, x in batch.items()} == {
        name: (x.shape, x.dtype) for name, x in spec.items()
    }


def test_the_release_is_the_model():
    params = params_of()
    assert stage_of().release(params, {}) is params["model"]
