"""The command line around a runtime without networks."""

import types
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.fake_runtime import FakeRuntime

RATE = 16000


class CommandRuntime(FakeRuntime):
    """With the memory statistics of a device."""

    device = types.SimpleNamespace(
        platform="cpu", id=0, device_kind="cpu", memory_stats=lambda: None
    )


FAKE = Context(load_runtime=lambda source, dtype, device, batch: CommandRuntime(batch))


@pytest.fixture
def fake() -> Context:
    """The context of commands that load no networks."""
    return FAKE


@pytest.fixture
def refused(capsys, request):
    """Run a command that must fail with one line; without networks if the test asks for ``fake``."""
    context = FAKE if "fake" in request.fixturenames else None

    def run(*argv: object, status: int = 2) -> str:
        assert main([str(argument) for argument in argv], context) == status
        captured = capsys.readouterr()
        assert captured.err.startswith("hsmtss: error: ") and captured.err.count("\n") == 1
        assert captured.out == ""
        return captured.err

    return run


def noise(samples: int = RATE, channels: int = 1, seed: int = 0) -> np.ndarray:
    """float32 [samples, channels]."""
    drawn = 0.1 * np.random.default_rng(seed).normal(size=(samples, channels))
    return drawn.astype(np.float32)


def write(path: Path, samples: np.ndarray | None = None, rate: int = RATE, **options) -> Path:
    """A recording; one second of noise by default."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"subtype": "FLOAT", **options} if path.suffix == ".wav" else options
    soundfile.write(path, noise() if samples is None else samples, rate, **options)
    return path


def below(folder: Path) -> set[str]:
    """The files in a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
