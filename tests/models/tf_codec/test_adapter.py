"""Any codec behind the acoustic decoder and the system: TF-Codec, and another one in its place."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.bundle import Bundle
from hsmtss_jax.bundles.pipeline import ROLES, Pipeline
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.models.tf_codec.adapter import CODECS, make_codec, raw_kbps
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.stages.acoustic_decoder import AcousticDecoderStage
from hsmtss_jax.testing.bundles import make_stage, tiny_upstream
from hsmtss_jax.testing.encoders import stub


@dataclasses.dataclass(frozen=True)
class Blocks:
    """A codec of one's own: the mean of each quarter of 320 samples, in 32 steps."""

    groups: int = 4
    codes: int = 32
    sample_rate: int = 16_000
    frame_samples: int = 320

    def token_frames(self, samples):
        return -(-samples // self.frame_samples)

    def encode(self, variables, audio):
        frames = self.token_frames(audio.shape[1])
        audio = jnp.pad(audio, ((0, 0), (0, frames * self.frame_samples - audio.shape[1])))
        means = audio.reshape(len(audio), frames, self.groups, -1).mean(-1)
        level = (means * variables["gain"] + 1.0) * 0.5 * self.codes
        return jnp.clip(level, 0, self.codes - 1).astype(jnp.int32)

    def decode(self, variables, tokens, samples):
        means = ((tokens + 0.5) / self.codes * 2.0 - 1.0) / variables["gain"]
        return jnp.repeat(means, self.frame_samples // self.groups, axis=-1).reshape(
            len(tokens), -1
        )[:, :samples]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(CODECS, "blocks", lambda config, dtype: Blocks(**config["model"]))


def _bundle(**model) -> Bundle:
    params = {"gain": np.float32(1.0)}
    return Bundle(stage="blocks", config={"model": model}, params=params, digest="blocks")


def test_tf_codec_says_its_numbers():
    bundle = tiny_upstream(["tf_codec"])["tf_codec"]
    codec = make_codec(bundle.stage, bundle.config)
    assert (codec.groups, codec.codes, codec.frame_samples, codec.sample_rate) == (
        4,
        32,
        320,
        16_000,
    )
    assert codec.token_frames(160_000) == 501
    np.testing.assert_array_equal(codec.token_frames(jnp.array([48_000, 1])), [151, 1])
    assert raw_kbps(16, 1024, 50.0) == 8.0


def test_the_acoustic_decoder_is_trained_on_another_codec():
    tiny = make_stage("acoustic_decoder", batch_size=2)
    stage = AcousticDecoderStage(tiny.config, tiny.data, tiny.upstream | {"tf_codec": _bundle()})
    audio = 0.9 * jnp.sin(jnp.arange(2 * 40_960.0) / 4_000).reshape(2, -1)
    batch = {"audio": audio, "length": jnp.array([40_960, 16_000])}
    frozen = {"tf_codec": _bundle().params}
    blank = jnp.zeros((2, 128, 64))
    stage.encoders = stub(stage.encoders, local_fn=lambda params, audio: blank)
    read = stage.read(frozen, batch)
    assert read.tokens.shape == (2, 128, 4) and len(np.unique(read.tokens)) > 20
    with pytest.raises(ValueError, match=r"stage\.model\.codes=32, but the upstream bundle has 16"):
        AcousticDecoderStage(
            tiny.config, tiny.data, tiny.upstream | {"tf_codec": _bundle(codes=16)}
        )


def test_the_system_decodes_with_another_codec():
    bundles = tiny_upstream(ROLES) | {"tf_codec": _bundle()}
    system = Runtime(Pipeline(bundles, Policy(), {}, Path()))
    assert (system.frame, system.frames) == (320, system.window // 320)
    audio = 0.9 * np.sin(np.arange(system.window) / 4_000)[None].astype(np.float32)
    tokens = system.encode_tokens(audio)
    assert tokens.shape == (1, system.frames, 4)
    np.testing.assert_allclose(system.decode_tokens(tokens, system.window), audio, atol=0.06)


def test_what_is_no_codec_is_refused():
    with pytest.raises(ValueError, match="a bundle of audio_mae is no codec"):
        make_codec("audio_mae", {})
    with pytest.raises(ValueError, match="works at 24000 Hz"):
        make_codec("blocks", {"model": {"sample_rate": 24_000}})
