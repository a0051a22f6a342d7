"""A loaded system takes any number of rows, and padding to static shapes changes nothing."""

import concurrent.futures
import dataclasses
import functools
import inspect
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import ROLES, Pipeline
from hsmtss_jax.inference.runtime import Runtime, SeparationRuntime
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.models import hsm_tss
from hsmtss_jax.models.tf_codec.adapter import CODECS
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import Task
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.fake_runtime import FakeRuntime

POLICY = Policy(temperature=1.0)
ASKED = [
    Instruction(Task.EXTRACT, "the a"),
    Instruction(Task.REMOVE, "a the, a the, a the."),  # 11 tokens: of another text size
    Instruction(Task.EXTRACT, "b"),
]


def load(batch: int = 4, **decoder: object) -> Runtime:
    """A tiny system; decoder: changes to the acoustic decoder's training config."""
    bundles = tiny_upstream(ROLES)
    old = bundles["acoustic_decoder"]
    bundles["acoustic_decoder"] = dataclasses.replace(old, config={**old.config, **decoder})
    return Runtime(Pipeline(bundles, Policy(), {}, Path("tiny")), batch=batch)


@functools.cache
def runtime() -> Runtime:
    return load()


def noise(rows: int, samples: int) -> np.ndarray:
    drawn = np.random.default_rng(rows).normal(size=(rows, samples))
    return (0.1 * drawn).astype(np.float32)


def semantics_of(rows: int) -> np.ndarray:
    """Random S [rows, P, C]."""
    decoder = runtime().networks.decoder
    shape = rows, decoder.patches, decoder.audio_width
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("kind", [Runtime, FakeRuntime])
def test_runtimes_take_the_arguments_of_the_protocol(kind):
    methods = [name for name, each in vars(SeparationRuntime).items() if inspect.isfunction(each)]
    wanted = [name for name in methods if not name.startswith("_")]
    assert {"encode_text", "encode_audio", "predict", "sample", "decode_tokens"} <= set(wanted)
    for name in wanted:
        ours, theirs = (
            inspect.signature(getattr(each, name)) for each in (kind, SeparationRuntime)
        )
        assert ours.parameters == theirs.parameters, name


def test_instructions_are_encoded_alike_in_any_batch():
    together = runtime().encode_text(ASKED)
    assert together.vector.shape[0] == len(ASKED)
    for row, instruction in enumerate(ASKED):
        alone = runtime().encode_text([instruction])
        np.testing.assert_array_equal(
            together.condition.text_mask[row], alone.condition.text_mask[0]
        )
        mask = alone.condition.text_mask[0]
        np.testing.assert_allclose(
            together.condition.text[row][mask], alone.condition.text[0][mask], atol=1e-5
        )
        np.testing.assert_allclose(together.vector[row], alone.vector[0], atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_a_row_is_the_same_in_any_batch(rows):
    one = runtime()
    audio = noise(rows, one.window)
    query = one.encode_text([ASKED[0]] * rows)
    mixture = one.encode_audio(audio)
    found = one.predict(mixture, query)
    assert found.s.shape[0] == found.target_cosine.shape[0] == rows
    alone = one.predict(one.encode_audio(audio[-1:]), one.encode_text(ASKED[:1]))
    np.testing.assert_allclose(found.s[-1], alone.s[0], atol=1e-4)
    np.testing.assert_allclose(found.target_cosine[-1:], alone.target_cosine, atol=1e-4)


def test_a_given_g_is_used():
    one = runtime()
    mixture, query = one.encode_audio(noise(2, one.window)), one.encode_text(ASKED[:2])
    found = one.predict(mixture, query)
    again = one.predict(mixture, query, found.g)
    np.testing.assert_allclose(again.s, found.s, atol=1e-5)
    other = one.predict(mixture, query, -np.asarray(found.g))
    assert np.abs(other.s - found.s).max() > 1e-3


def test_short_audio_is_padded_with_silence():
    one = runtime()
    audio = noise(2, one.window // 2)
    whole = np.pad(audio, ((0, 0), (0, one.window - audio.shape[1])))
    np.testing.assert_array_equal(one.encode_audio(audio).s, one.encode_audio(whole).s)
    tokens = one.encode_tokens(audio)
    assert tokens.shape[:2] == (2, one.token_frames(audio.shape[1]))


def test_similarity_compares_with_the_description_or_with_g():
    one = runtime()
    audio, query = noise(2, one.window), one.encode_text(ASKED[:2])
    g = one.encode_audio(audio).g
    scores = one.similarity(audio, query, g, np.array([True, False]))
    assert scores.shape == (2,) and np.abs(scores).max() <= 1 + 1e-5
    np.testing.assert_allclose(scores[1], 1.0, atol=1e-4)  # its own g
    assert abs(scores[0] - 1.0) > 1e-3


def test_attention_is_a_distribution_over_patches():
    one = runtime()
    mixture, query = one.encode_audio(noise(2, one.window)), one.encode_text(ASKED[:2])
    weights = one.attention(mixture, query)
    assert weights.shape[0] == 2 and weights.shape[2] == one.networks.decoder.patches
    assert weights.min() >= 0 and weights.sum(axis=2).max() <= 1 + 1e-5


def test_more_rows_than_a_batch_draw_what_each_draws_alone():
    one, s = runtime(), semantics_of(5)
    seeds = np.arange(5)
    tokens = one.sample(s, seeds, POLICY)
    assert tokens.shape == (5, one.frames, one.groups) and tokens.dtype == np.int32
    for row in (0, 4):
        alone = one.sample(s[row : row + 1], seeds[row : row + 1], POLICY)
        np.testing.assert_array_equal(alone[0], tokens[row])


def test_short_clips_take_fewer_frames_and_draw_the_same():
    one, s = runtime(), semantics_of(2)
    whole = one.sample(s, np.arange(2), POLICY)
    quarter = one.token_frames(one.clip_samples(1))
    short = one.sample(s, np.arange(2), POLICY, lengths=np.array([1, quarter]))
    assert short.shape[1] == quarter < one.frames
    np.testing.assert_array_equal(short, whole[:, :quarter])


def test_forced_frames_begin_a_clip():
    one, s = runtime(), semantics_of(2)
    forced = np.ones((2, 3, one.groups), np.int32)
    tokens = one.sample(s, np.arange(2), POLICY, forced=forced, forced_length=np.array([3, 0]))
    free = one.sample(s, np.arange(2), POLICY)
    np.testing.assert_array_equal(tokens[0, :3], forced[0])
    np.testing.assert_array_equal(tokens[1], free[1])


def test_what_cannot_be_drawn_is_refused():
    one, s = runtime(), semantics_of(2)
    with pytest.raises(ValueError, match="no row"):
        one.sample(s[:0], np.arange(0), POLICY)
    with pytest.raises(ValueError, match=f"{one.frames + 1} does not fit"):
        one.sample(s, np.arange(2), POLICY, lengths=np.array([1, one.frames + 1]))
    with pytest.raises(ValueError, match="forced frames do not fit"):
        forced = np.zeros((2, one.frames, one.groups), np.int32)
        one.sample(s, np.arange(2), POLICY, lengths=np.array([1, 1]), forced=forced)
    with pytest.raises(ValueError, match="the batch must be at least 1"):
        load(batch=0)


@dataclasses.dataclass(frozen=True)
class QuietCodec:
    """Decodes token 0 to noise at -100 dBFS, others to noise at -60 dBFS."""

    groups: int = 4
    codes: int = 32
    sample_rate: int = 16_000
    frame_samples: int = 320

    def token_frames(self, samples):
        return samples // self.frame_samples + 1

    def encode(self, variables, audio):
        raise NotImplementedError

    def decode(self, variables, tokens, samples):
        level = jnp.where(tokens[:, :, 0] == 0, 1e-5, 1e-3)
        level = jnp.repeat(level, self.frame_samples, axis=1)[:, :samples]
        return level * jnp.where(jnp.arange(samples) % 2, 1.0, -1.0)[None]


def test_the_gate_mutes_what_is_below_the_codec_s_floor(monkeypatch):
    monkeypatch.setitem(CODECS, "quiet", lambda config, dtype: QuietCodec())
    params = {"gain": np.float32(1.0)}
    codec = Bundle(stage="quiet", config={}, params=params, digest="quiet")
    bundles = tiny_upstream(ROLES) | {"tf_codec": codec}
    one = Runtime(Pipeline(bundles, Policy(), {}, Path("tiny")))
    tokens = np.zeros((3, one.frames, 4), np.int32)
    tokens[:, :20] = 1
    samples = one.window // 3
    free, gated = (one.decode_tokens(tokens, samples, gate=gate) for gate in (False, True))
    assert free.shape == gated.shape == (3, samples) and free.dtype == gated.dtype == np.float32
    assert np.abs(free).min() > 0
    np.testing.assert_allclose(gated[:, :6000], free[:, :6000], rtol=1e-5)
    assert not gated[:, 7000:].any()


@pytest.mark.optimized
def test_what_is_drawn_and_decoded_is_equation_four(rounding):
    one, s, seeds = runtime(), semantics_of(2), np.array([3, 4], np.uint32)
    params = {name: bundle.params for name, bundle in one.pipeline.bundles.items()}
    tokens = one.sample(s, seeds, POLICY)
    sound = one.decode_tokens(tokens, one.window, gate=False)
    generate = jax.jit(
        functools.partial(hsm_tss.generate, one.networks, samples=one.window), static_argnums=3
    )
    np.testing.assert_allclose(generate(params, s, seeds, POLICY), sound, atol=rounding)


def test_the_callers_64_bits_change_nothing():
    """``jax_enable_x64`` is one program's, for all its libraries."""
    pipeline = runtime().pipeline
    with jax.enable_x64(True):
        system = Runtime(pipeline, batch=4)
        query = system.encode_text(ASKED[:1])
        found = system.predict(system.encode_audio(noise(1, 5000)), query)
        tokens = system.sample(found.s, np.zeros(1), POLICY)
    assert found.s.dtype == np.float32 and tokens.dtype == np.int32
    same = runtime().predict(runtime().encode_audio(noise(1, 5000)), query)
    np.testing.assert_array_equal(found.s, same.s)


def test_two_threads_get_what_one_gets():
    query = runtime().encode_text(ASKED)
    audio = [noise(3, 5000 + n) for n in range(4)]

    def predicted(sound: np.ndarray) -> np.ndarray:
        return np.asarray(runtime().predict(runtime().encode_audio(sound), query).s)

    alone = [predicted(sound) for sound in audio]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for one, other in zip(alone, pool.map(predicted, audio), strict=True):
            np.testing.assert_array_equal(one, other)
