"""Who may import whom: the package's arrows, read from the syntax tree of every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hsmtss_jax"

# Areas that need neither jax nor each other's insides; anyone above may use them.
_GROUND = {"config", "dist", "bundle", "atomic", "audio.io", "audio.level"}
_MODELS = {"nn", "losses", "metrics", "sampling", "audio", "audio.io", "audio.level"}
_PLAIN = {"config", "bundle", "atomic", "audio.io", "audio.level"}

# Area -> the areas of ours it may import. An area may always import itself.
ARROWS: dict[str, set[str]] = {
    "": set(),
    "config": set(),
    "dist": {"config"},
    "bundle": {"atomic"},
    "atomic": set(),
    "audio.io": {"atomic", "audio.level"},
    "audio.level": set(),
    "audio": {"audio.io", "audio.level", "atomic"},
    "nn": {"audio"},
    "losses": {"audio"},
    "metrics": {"audio"},
    "sampling": {"audio"},
    "hub": set(),
    "data": {*_PLAIN, "hub"},
    "instructions": set(),
    "models": {"nn", "audio", "config"},
    "checkpoints": {"models", "config", "bundle", "hub"},
    "train": {"config", "dist", "bundle", "atomic"},
    "train.stage": {"config", "bundle"},
    "stages": {*_MODELS, *_PLAIN, "models", "data", "train.stage"},
    "inference": {
        *(_GROUND | {"stages", "models", "sampling", "audio", "instructions"}),
        *{"checkpoints", "data", "assets", "hub"},
    },
    "evaluation": {
        *_GROUND,
        *{"inference", "metrics", "audio", "data", "models", "instructions", "sampling"},
    },
    "visualization": {*_GROUND, "inference", "metrics", "audio", "data", "models"},
    "benchmarks": {
        *_GROUND,
        *{"inference", "stages", "models", "sampling", "audio", "data", "train", "train.stage"},
    },
    "assets": set(),
}
ANYTHING = {"cli"}
CONFIGS = {"config", "stages", "models", "data", "inference", "sampling"}

# Packages that one area alone may import.
EXCLUSIVE = {
    "orbax": {"train/checkpoint.py"},
    "jax.sharding": {"dist.py", "train/evaluate.py", "train/loop.py"},
    "tensorboardX": {"train/writer.py"},
    "torch": {"checkpoints/read.py"},
    "huggingface_hub": {"hub.py"},
    "tensorflow": set(),
}
# Files before whose import jax must not be loaded: decoding and mixing run in worker processes.
WITHOUT_JAX = (
    *("atomic", "config", "bundle", "hub", "data", "instructions"),
    *("audio/__init__.py", "audio/io.py", "audio/level.py"),
    *("audio/range_coder.py", "audio/token_file.py"),
)

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, also inside functions; of ``from a import b`` a.b if it is ours."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write relative imports in full"
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if _file(whole).exists() else str(node.module)


def area(module: str) -> str:
    """hsmtss_jax.models.t5 -> models; a few modules are areas of their own."""
    parts = module.split(".")[1:]
    two = ".".join(parts[:2])
    return two if two in ARROWS else ".".join(parts[:1])


def ours(path: Path) -> set[str]:
    """The areas of ours that a file imports."""
    modules = {name for name in imports(path) if name.split(".")[0] == "hsmtss_jax"}
    return {area(name) for name in modules} - {""}


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    own = area(module)
    if own in ANYTHING:
        return
    assert own in ARROWS, f"{own!r} has no row in ARROWS: say what it may import"
    parent = own.split(".")[0]  # audio.stft may use audio.io; train.loop may use train.stage
    allowed = ARROWS[own] | {own} | {name for name in ARROWS if name.startswith(f"{own}.")}
    extra = ours(path) - allowed - ({parent} if path.name == "__init__.py" else set())
    assert not extra, f"{module} may not import {', '.join(sorted(extra))}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_exclusive_packages(path):
    where = str(path.relative_to(PACKAGE))
    for package, homes in EXCLUSIVE.items():
        used = any(name == package or name.startswith(f"{package}.") for name in imports(path))
        assert not used or where in homes, f"{where} may not import {package}"


@pytest.mark.parametrize("name", WITHOUT_JAX)
def test_no_jax(name):
    target = PACKAGE / name
    files = [target] if target.suffix else (list(target.rglob("*.py")) or [PACKAGE / f"{name}.py"])
    for path in files:
        used = {module.split(".")[0] for module in imports(path)} & {"jax", "flax", "optax"}
        assert not used, f"{path.relative_to(PACKAGE)} may not import {', '.join(used)}"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.py")), ids=lambda p: p.name)
def test_configs(path):
    assert ours(path) <= CONFIGS


@pytest.mark.parametrize("path", sorted((ROOT / "data").rglob("*.py")), ids=lambda p: p.parent.name)
def test_offline_preparation_knows_no_model(path):
    assert not ours(path) & {"stages", "train", "inference", "dist"}
