"""The PyTorch peer of the benchmark and our codec agree, given one state dict."""

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.tf_codec import import_tf_codec, tf_codec_config
from tests.bundles.importers.tf_codec_state import TINY, tf_codec_state

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")


def test_the_peer_is_the_same_network():
    from hsmtss_jax.speed.torch_tf_codec import TorchTFCodec

    state = tf_codec_state(**TINY)
    config = tf_codec_config(state)
    peer = TorchTFCodec(config).eval()
    tensors = {name: torch.from_numpy(value) for name, value in state.items()}
    result = peer.load_state_dict(tensors, strict=False)
    assert not result.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in result.missing_keys)
    audio = 0.1 * np.random.RandomState(1).normal(size=(2, 2_000)).astype(np.float32)
    out = jax.jit(config.make().apply)(import_tf_codec(config, state), audio)
    with torch.inference_mode():
        tokens = peer.encode(torch.from_numpy(audio))
        decoded = peer.decode(tokens, 2_000)
        published = peer.decode(tokens, 2_000, published=True)
    np.testing.assert_array_equal(tokens, out.quantized.tokens)
    loudest = np.abs(out.audio).max()
    np.testing.assert_allclose(decoded, out.audio, atol=1e-5 * loudest)
    np.testing.assert_allclose(published, decoded, atol=1e-5 * loudest)
