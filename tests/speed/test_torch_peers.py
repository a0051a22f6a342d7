"""The encoder's peers in PyTorch, or a line that says how to get it."""

import sys

import pytest

from hsmtss_jax.models.audio_mae import AudioMAEConfig
from hsmtss_jax.speed.torch_peers import vit_calls

CONFIG = AudioMAEConfig(frames=32, width=32, depth=1, heads=4)


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match=r"needs torch: pip install 'hsmtss-jax\[parity\]'"):
        vit_calls(CONFIG, 1)


@pytest.mark.parity
def test_two_networks_are_called():
    pytest.importorskip("torch")
    calls = vit_calls(CONFIG, 2)
    assert "torch.nn's fused encoder" in calls and len(calls) == 2
    for call in calls.values():
        call()
