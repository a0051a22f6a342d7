"""Every test runs on four fake CPU devices, with strict rank promotion and one compile cache."""

import gc
import os
import resource
from pathlib import Path

import jaxlib.version
import pytest

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "4")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
if jaxlib.version.__version_info__ < (0, 11):
    # Most of the time that 0.10 takes to compile goes into its new emitters of fusions; an empty
    # XLA_FLAGS leaves them on. Later versions do not know the flag and stop at it.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax

MOST_MEMORY = 2 * 2**30  # bytes that a worker may hold when a module ends
_limit = [MOST_MEMORY]  # more where what was forgotten did not go back to the system
LONGEST_FIRST = (
    *(
        "tests/recipes/test_recipe.py",
        "tests/e2e/",
        "tests/adaptation/",
        "tests/stages/",
        "tests/test_configs.py",
    ),
    *("tests/models/", "tests/train/", "tests/inference/", "tests/golden/", "tests/nn/"),
)

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_disable_most_optimizations", True)  # also for a first module's fixtures
jax.config.update(
    "jax_compilation_cache_dir",
    str(Path(__file__).parents[1] / ".jax_cache"),
)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def pytest_configure(config):
    """The workers of a parallel run take files in our order, not those with the most tests first."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(config, items):
    """In a parallel run the longest files come first, so that no worker ends with one alone."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item) -> int:
    found = (i for i, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder))
    return next(found, len(LONGEST_FIRST))


@pytest.fixture(autouse=True)
def _compiler(request):
    """Compiles in a hurry, but as users' programs are compiled in tests marked ``optimized``."""
    quick = request.node.get_closest_marker("optimized") is None
    jax.config.update("jax_disable_most_optimizations", quick)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture
def rounding() -> float:
    """How far two programs of one equation may differ: as users compile them, and in a hurry."""
    return 1e-2 if "emitters=false" in os.environ.get("XLA_FLAGS", "") else 1e-5


@pytest.fixture(scope="module", autouse=True)
def _programs():
    """Forgets compiled programs behind a module where they take too much: all of them are gigabytes."""
    yield
    if _resident_bytes() > _limit[0]:
        jax.clear_caches()
        gc.collect()
        _limit[0] = max(MOST_MEMORY, _resident_bytes() + MOST_MEMORY // 4)


def _resident_bytes() -> int:
    """The memory that this process holds; where that is not told, the most it ever held."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
