"""Q-Audio's gradient reaches every parameter; it is of the global batch, on any mesh and over processes."""

import numpy as np
import pytest

from hsmtss_jax import dist
from hsmtss_jax.config import MeshConfig
from hsmtss_jax.testing import processes
from tests.stages.q_audio_gradient import loss_and_gradient


@pytest.fixture(scope="module")
def one_device():
    return loss_and_gradient(dist.make_mesh(MeshConfig(data=1)))


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert np.abs(expected["gradient/embeddings/query"]).max() > 1e-3
    for name, value in expected.items():
        scale = max(np.abs(value).max(), 1e-3)
        np.testing.assert_allclose(found[name], value, atol=1e-4 * scale, err_msg=name)


def test_every_parameter_learns(one_device):
    assert all(np.isfinite(value).all() for value in one_device.values())
    still = [
        name
        for name, value in one_device.items()
        if name.startswith("gradient/") and not np.any(np.abs(value) > 1e-9)
    ]
    assert not [name for name in still if "key/bias" not in name]  # it shifts a whole row


@pytest.mark.slow
def test_four_devices(one_device):
    """A batch over four devices; parameters are split as well over two processes, below."""
    mesh = dist.make_mesh(MeshConfig(data=4))
    assert_same(loss_and_gradient(mesh), one_device)


@pytest.mark.slow
def test_two_processes(one_device, tmp_path):
    processes.run("tests.stages.q_audio_gradient", str(tmp_path / "found.npz"))
    assert_same(dict(np.load(tmp_path / "found.npz")), one_device)
