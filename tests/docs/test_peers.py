"""Programs of examples/peers: around a network that changes nothing, nothing is changed."""

import runpy

import numpy as np

from tests.docs import pages


class Identity:
    """Give every frame and every cache back."""

    def run(self, names, inputs):
        mix, *caches = inputs.values()
        return [mix, *caches]


def test_gtcrn_s_frames_add_up():
    peer = runpy.run_path(str(pages.ROOT / "examples" / "peers" / "gtcrn.py"))
    sound = np.random.default_rng(0).normal(size=5_001).astype(np.float32)
    made = peer["enhance"](Identity(), sound)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, sound, atol=1e-5)
