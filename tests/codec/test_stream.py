"""Streams of any block length give what the whole signal gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.codec.stream import CompiledCodec, StreamingDecoder, StreamingEncoder
from tests.models.tf_codec.test_stream import SMALL, Streamed

CHUNK = 3
LENGTHS = [1, 79, 80, 81, 320, 399, 400, 961, 6_733]
pytestmark = pytest.mark.optimized


@pytest.fixture(scope="module")
def whole() -> Streamed:
    return Streamed(SMALL)


@pytest.fixture(scope="module")
def compiled(whole) -> CompiledCodec:
    return CompiledCodec(SMALL, whole.variables, np.float32)


@pytest.fixture(scope="module")
def audio(whole) -> np.ndarray:
    return whole.audio


def encoded(compiled: CompiledCodec, audio: np.ndarray, cuts: list[int]) -> np.ndarray:
    stream = StreamingEncoder(compiled, CHUNK)
    parts = [stream.push(part) for part in np.split(audio, sorted(cuts), axis=1)]
    return np.concatenate([*parts, stream.finish()], axis=1)


def decoded(
    compiled: CompiledCodec, tokens: np.ndarray, cuts: list[int], samples=None
) -> np.ndarray:
    stream = StreamingDecoder(compiled, samples, CHUNK)
    parts = [stream.push(part) for part in np.split(tokens, sorted(cuts), axis=1)]
    return np.concatenate([*parts, stream.finish()], axis=1)


@pytest.mark.parametrize("samples", LENGTHS)
def test_tokens_and_length_at_any_length(compiled, audio, samples):
    """As many token frames as the whole signal has, equal to those of a longer one."""
    tokens = encoded(compiled, audio[:, :samples], [])
    assert tokens.shape == (2, SMALL.token_frames(samples), SMALL.groups)
    longer = encoded(compiled, audio, [])
    same = max(0, samples - 400 + 320) // SMALL.token_samples
    np.testing.assert_array_equal(tokens[:, :same], longer[:, :same])
    assert decoded(compiled, tokens, [], samples).shape == (2, samples)
    assert decoded(compiled, tokens, []).shape == (2, SMALL.padded_samples(samples))


@given(cuts=st.lists(st.integers(0, 9520), max_size=6))
@settings(max_examples=12, deadline=None)
def test_blocks_of_any_length_give_the_same(compiled, audio, cuts):
    tokens = encoded(compiled, audio, cuts)
    np.testing.assert_array_equal(tokens, encoded(compiled, audio, []))
    places = [cut % (tokens.shape[1] + 1) for cut in cuts]
    want = decoded(compiled, tokens, [])
    np.testing.assert_allclose(decoded(compiled, tokens, places), want, atol=1e-6)


def test_the_streams_are_the_model_s_whole_pass(compiled, whole):
    """Irregular streams, against TFCodec on the whole signal."""
    samples = whole.audio.shape[1]
    tokens = encoded(compiled, whole.audio, [700, 701, 5000])
    np.testing.assert_array_equal(tokens, whole.tokens)
    got = decoded(compiled, tokens, [1, 2, 14], samples)
    np.testing.assert_allclose(got, np.clip(whole.decoded, -1, 1), atol=1e-5)


def test_a_stream_of_single_frames_has_the_latency_it_says(compiled, audio):
    encoder, decoder = StreamingEncoder(compiled, 1), StreamingDecoder(compiled, None, 1)
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


def test_streams_refuse_what_is_no_stream(compiled, audio):
    stream = StreamingEncoder(compiled, CHUNK)
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
    other = StreamingDecoder(compiled, 5000, CHUNK)
    with pytest.raises(ValueError, match="no tokens"):
        other.finish()
    other.push(tokens)
    with pytest.raises(ValueError, match="tokens give 240 samples, not 5000"):
        other.finish()
    with pytest.raises(ValueError, match="at least one token frame"):
        StreamingDecoder(compiled, chunk=0)
