"""The codec by itself: any rate and channels, from arrays and files, bit rates, other codecs refused."""

import dataclasses

import numpy as np
import pytest

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.codec.codec import Codec
from hsmtss_jax.codec.token_file import pack, unpack
from hsmtss_jax.testing.bundles import tiny_upstream

pytestmark = pytest.mark.optimized


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Folders of two codec bundles that differ in their weights."""
    folder = tmp_path_factory.mktemp("bundles")
    bundle = dataclasses.replace(tiny_upstream(["tf_codec"])["tf_codec"], digest="")
    save_bundle(folder / "codec", bundle)
    save_bundle(
        folder / "other", dataclasses.replace(bundle, config={**bundle.config, "samples": 1})
    )
    return folder


@pytest.fixture(scope="module")
def codec(bundles):
    return Codec.from_pretrained(bundles / "codec")


def test_encode_then_decode(codec, tmp_path):
    """Any rate and channels, from an array or a file; the container keeps it all."""
    rng = np.random.default_rng(0)
    stereo = (0.1 * rng.normal(size=(11_025, 2))).astype(np.float32)
    tokens = codec.encode(stereo, 44_100)
    assert (tokens.samples, tokens.sample_rate, tokens.digest) == (4000, 16_000, codec.digest)
    assert tokens.values.shape == (codec.config.token_frames(4000), codec.config.groups)
    write_audio(tmp_path / "a.wav", stereo, 44_100, OutputOptions(bit_depth="float"))
    from_file = codec.encode(tmp_path / "a.wav")
    np.testing.assert_array_equal(from_file.values, tokens.values)
    again = unpack(pack(tokens))
    audio = codec.decode(again)
    assert audio.shape == (4000,) and audio.dtype == np.float32 and np.abs(audio).max() <= 1
    np.testing.assert_array_equal(audio, codec.decode(tokens))


def test_bit_rates(codec):
    values = np.zeros((51, codec.config.groups), np.int32)
    values[:, 0] = np.arange(51) % 4
    tokens = dataclasses.replace(codec.encode(np.zeros(16_000, np.float32), 16_000), values=values)
    rates = codec.bit_rates(tokens)
    assert rates.raw == 50 * codec.config.groups * np.log2(codec.config.codes)
    assert rates.entropy == pytest.approx(51 * 2.0, rel=0.01)  # two bits a frame in one group


def test_what_another_codec_made_is_refused(codec, bundles):
    tokens = codec.encode(np.zeros(2000, np.float32), 16_000)
    other = Codec.from_pretrained(bundles / "other")
    with pytest.raises(ValueError, match=f"made by codec {codec.digest[:12]}, this is"):
        other.decode(tokens)
    for change in ({"samples": 9000}, {"codes": 7}, {"values": tokens.values[:, 1:]}):
        with pytest.raises(ValueError, match="not"):
            codec.decode_blocks(dataclasses.replace(tokens, **change))
    with pytest.raises(ValueError, match="8000 Hz"):
        codec.decode(dataclasses.replace(tokens, sample_rate=8000))


def test_bad_input_is_refused(codec, bundles, tmp_path):
    with pytest.raises(ValueError, match="sample_rate"):
        codec.encode(np.zeros(100))
    with pytest.raises(ValueError, match="NaN"):
        codec.encode(np.full(100, np.nan, np.float32), 16_000)
    with pytest.raises(ValueError, match="no samples"):
        codec.encode(np.zeros(0, np.float32), 16_000)
    with pytest.raises(ValueError, match=r"\[L\] or \[L, C\]"):
        codec.encode(np.zeros((1, 2, 3), np.float32), 16_000)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        Codec.from_pretrained(tmp_path / "none")
    save_bundle(tmp_path / "text", tiny_upstream(["text_encoder"])["text_encoder"])
    with pytest.raises(ValueError, match="bundle of text_encoder"):
        Codec.from_pretrained(tmp_path / "text")
