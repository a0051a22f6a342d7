"""The codec by itself: streams of any block length, container, other codecs, bit rates."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.codec.stream import Programs, StreamingDecoder, StreamingEncoder
from hsmtss_jax.codec.token_file import pack, unpack
from hsmtss_jax.inference import Codec
from hsmtss_jax.testing.bundles import tiny_upstream
from tests.models.tf_codec.test_stream import SMALL, Streamed

CHUNK = 3
LENGTHS = [1, 79, 80, 81, 320, 399, 400, 961, 6_733]
pytestmark = pytest.mark.optimized


@pytest.fixture(scope="module")
def whole() -> Streamed:
    return Streamed(SMALL)


@pytest.fixture(scope="module")
def programs(whole) -> Programs:
    return Programs(SMALL, whole.variables, np.float32)


@pytest.fixture(scope="module")
def audio(whole) -> np.ndarray:
    return whole.audio


def encoded(programs: Programs, audio: np.ndarray, cuts: list[int]) -> np.ndarray:
    stream = StreamingEncoder(programs, CHUNK)
    parts = [stream.push(part) for part in np.split(audio, sorted(cuts), axis=1)]
    return np.concatenate([*parts, stream.finish()], axis=1)


def decoded(programs: Programs, tokens: np.ndarray, cuts: list[int], samples=None) -> np.ndarray:
    stream = StreamingDecoder(programs, samples, CHUNK)
    parts = [stream.push(part) for part in np.split(tokens, sorted(cuts), axis=1)]
    return np.concatenate([*parts, stream.finish()], axis=1)


@pytest.mark.parametrize("samples", LENGTHS)
def test_tokens_and_length_at_any_length(programs, audio, samples):
    """As many token frames as the whole signal has, equal to those of a longer one."""
    tokens = encoded(programs, audio[:, :samples], [])
    assert tokens.shape == (2, SMALL.token_frames(samples), SMALL.groups)
    longer = encoded(programs, audio, [])
    same = max(0, samples - 400 + 320) // SMALL.token_samples
    np.testing.assert_array_equal(tokens[:, :same], longer[:, :same])
    assert decoded(programs, tokens, [], samples).shape == (2, samples)
    assert decoded(programs, tokens, []).shape == (2, SMALL.padded_samples(samples))


@given(cuts=st.lists(st.integers(0, 9520), max_size=6))
@settings(max_examples=12, deadline=None)
def test_blocks_of_any_length_give_the_same(programs, audio, cuts):
    tokens = encoded(programs, audio, cuts)
    np.testing.assert_array_equal(tokens, encoded(programs, audio, []))
    places = [cut % (tokens.shape[1] + 1) for cut in cuts]
    want = decoded(programs, tokens, [])
    np.testing.assert_allclose(decoded(programs, tokens, places), want, atol=1e-6)


def test_the_streams_are_the_model_s_whole_pass(programs, whole):
    """Irregular streams, against TFCodec on the whole signal."""
    samples = whole.audio.shape[1]
    tokens = encoded(programs, whole.audio, [700, 701, 5000])
    np.testing.assert_array_equal(tokens, whole.tokens)
    got = decoded(programs, tokens, [1, 2, 14], samples)
    np.testing.assert_allclose(got, np.clip(whole.decoded, -1, 1), atol=1e-5)


def test_a_stream_of_single_frames_has_the_latency_it_says(programs, audio):
    encoder, decoder = StreamingEncoder(programs, 1), StreamingDecoder(programs, None, 1)
    read = given_back = 0
    lags = []
    for start in range(0, 4000, 80):
        tokens = encoder.push(audio[:1, start : start + 80])
        read += 80
        lags.append(read - given_back)  # samples read when the next one was still to come
        given_back += decoder.push(tokens).shape[1]
        if not tokens.shape[1]:
            assert read - given_back < 560
    assert max(lags[10:]) == 560  # 35 ms


def test_streams_refuse_what_is_no_stream(programs, audio):
    stream = StreamingEncoder(programs, CHUNK)
    with pytest.raises(ValueError, match="no samples"):
        stream.finish()
    stream.push(audio[:, :100])
    with pytest.raises(ValueError, match=r"blocks \[B, l\]"):
        stream.push(audio[:1])
    with pytest.raises(ValueError, match="NaN"):
        stream.push(np.full((2, 5), np.nan))
    tokens = stream.finish()
    with pytest.raises(ValueError, match="finished"):
        stream.push(audio)
    other = StreamingDecoder(programs, 5000, CHUNK)
    with pytest.raises(ValueError, match="no tokens"):
        other.finish()
    other.push(tokens)
    with pytest.raises(ValueError, match="tokens give 240 samples, not 5000"):
        other.finish()
    with pytest.raises(ValueError, match="at least one token frame"):
        StreamingDecoder(programs, chunk=0)


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
    write_audio(tmp_path / "a.wav", stereo, 44_100, subtype="FLOAT")
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
