"""GPT-2 of the decoder's size in PyTorch, or a line that says how to get it."""

import sys

import pytest

from hsmtss_jax.sampling import Policy
from hsmtss_jax.speed.decoder_peer import CACHES, make_peer
from tests.models.acoustic_decoder.tiny import TINY


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        ValueError, match=r"needs torch and transformers: pip install 'hsmtss-jax\[parity\]'"
    ):
        make_peer(TINY, 5, Policy())


@pytest.mark.parity
@pytest.mark.parametrize("policy", [Policy(), Policy(temperature=0.0)])
def test_pytorch_generates_from_the_same_size(policy):
    pytest.importorskip("torch")
    peer = make_peer(TINY, 5, policy)
    sizes = peer.model.config
    assert (sizes.n_embd, sizes.n_layer, sizes.n_head, sizes.vocab_size) == (32, 2, 4, 36)
    for cache in CACHES:
        times = peer.times(2, 5, cache)
        assert times.prefill > 0 and times.decode > 0
    assert peer.faster_cache(1, 2) in CACHES
