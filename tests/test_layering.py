"""Who may import whom: the package's arrows, read from the syntax tree of every file."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hsmtss_jax
from hsmtss_jax import inference

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hsmtss_jax"

_GROUND = {
    "config",
    "conversion",
    "dist",
    "atomic",
    "task",
    "option",
    "progress",
    "audio.io",
    "audio.level",
    "audio.constants",
    "audio.formats",
    "audio.output",
}
_BUNDLES = {"bundles", "bundles.bundle", "bundles.hub"}
_NETWORKS = {"nn", "losses", "metrics", "sampling", "audio", "models"}

# Area -> the areas of ours it may import. An area may always import itself.
ARROWS: dict[str, set[str]] = {
    "": {
        "audio.io",
        "audio.output",
        "codec",
        "inference",
        "instructions",
        "sampling",
    },  # only when asked for
    "config": set(),
    "configs": {"config"},
    "conversion": {"config"},
    "dist": {"config", "rendezvous"},
    "rendezvous": set(),
    "atomic": set(),
    "task": set(),
    "option": set(),
    "progress": set(),
    "__main__": {"cli"},
    "assets": set(),
    "audio.constants": set(),
    "audio.level": set(),
    "audio.formats": set(),
    "audio.output": {"audio.formats", "option"},
    "audio.io": {"atomic", "audio.formats", "audio.level", "audio.output"},
    "audio": {
        "atomic",
        "audio.formats",
        "audio.io",
        "audio.output",
        "audio.level",
        "audio.constants",
    },
    "nn": {"audio", "audio.constants"},
    "losses": {"audio", "audio.constants"},
    "metrics": {"audio", "audio.constants"},
    "sampling": {"audio"},
    "instructions": {"task"},
    "bundles.hub": set(),
    "bundles.sanity": set(),
    "bundles.bundle": {"atomic", "bundles.sanity"},
    "data": {"config", "atomic", "task", "progress", "audio.io", "audio.level", "audio.constants"},
    "models": {"nn", "audio", "audio.constants", "sampling", "config", "conversion", "task"},
    "bundles": {*_BUNDLES, "models", "sampling", "config", "conversion", "atomic", "task"},
    "train.stage": {"config", "dist", "bundles.bundle"},
    "train": {"config", "conversion", "dist", "atomic", "train.stage", *_BUNDLES},
    "precompute": {*_GROUND, *_NETWORKS, *_BUNDLES, "data"},
    "stages": {*_GROUND, *_NETWORKS, *_BUNDLES, "data", "precompute", "train.stage"},
    "codec": {*_GROUND, *_BUNDLES, "models", "audio"},
    "inference": {
        *(_GROUND | _BUNDLES),
        *{"models", "nn", "sampling", "audio", "instructions", "codec"},
    },
    "evaluation": {
        *(_GROUND | _BUNDLES | _NETWORKS),
        *{"inference", "codec", "data", "instructions"},
    },
    "visualization": {
        *(_GROUND | _BUNDLES | _NETWORKS),
        *{"inference", "codec", "data", "instructions"},
    },
    "testing": {
        *(_GROUND | _BUNDLES | _NETWORKS),
        *{"stages", "train.stage", "data", "inference", "codec", "instructions"},
    },
    "adaptation": {
        *{"config", "conversion", "bundles", "bundles.bundle", "recipes", "sampling", "metrics"},
        *{"data", "stages", "train", "train.stage", "inference", "evaluation"},
    },
    "planning": {
        *(_GROUND | _BUNDLES),
        *{"metrics", "nn", "stages", "train", "train.stage", "testing"},
    },
    "recipes": {"config", "conversion", "atomic", "metrics", *_BUNDLES, "testing"},
    "speed": {
        *(_GROUND | _BUNDLES | _NETWORKS),
        *{"inference", "codec", "data", "stages", "train", "train.stage", "testing"},
    },
}
ANYTHING = {"cli"}
CONFIGS = {"config", "configs", "stages", "models", "data", "bundles", "sampling", "recipes"}

# What nobody needs who only separates.
TRAINING = ("stages", "train", "data", "precompute", "losses", "evaluation", "testing")

# Packages that one area alone may import.
EXCLUSIVE = {
    "orbax": {"train/checkpoint.py"},
    "jax.sharding": {"dist.py", "train/evaluate.py", "train/plan.py"},
    "tensorboardX": {"train/writer.py"},
    "torch": {
        *("bundles/importers/read.py", "evaluation/torch_codecs.py"),
        *("evaluation/judges/clap.py", "evaluation/judges/audio_language.py"),
        *("speed/codec.py", "speed/torch_tf_codec.py", "speed/torch_resunet.py"),
    },
    "huggingface_hub": {"bundles/hub.py"},
    "onnx": {"bundles/importers/yamnet.py"},
    "tensorflow": set(),
}
# Files before whose import jax must not be loaded: decoding and mixing run in worker processes.
WITHOUT_JAX = (
    *(
        "atomic",
        "config",
        "conversion",
        "option",
        "progress",
        "task",
        "data",
        "instructions",
        "models/text/tokenizer.py",
    ),
    *("models/__init__.py", "models/text/__init__.py", "bundles/__init__.py"),
    *("bundles/bundle.py", "bundles/hub.py"),
    *("audio/__init__.py", "audio/io", "audio/level.py", "audio/formats.py", "audio/output.py"),
    *("codec/range_coder.py", "codec/token_file.py"),
    *("inference/__init__.py", "inference/options.py"),
    *("cli/main.py", "cli/parser.py", "cli/options.py", "cli/separate/options.py"),
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
    """hsmtss_jax.models.text.t5 -> models; a few modules are areas of their own."""
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


def loaded_by(statement: str) -> set[str]:
    """Every module that a fresh interpreter holds after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_separating_loads_nothing_of_training():
    modules = loaded_by("from hsmtss_jax.inference import Separator")
    trained = {name for name in modules if name.startswith("hsmtss_jax.")} & {
        name for name in modules if area(name).split(".")[0] in TRAINING
    }
    assert not trained
    assert not modules & {"grain", "orbax", "optax", "array_record", "tensorflow", "torch"}


def test_importing_the_package_loads_nothing():
    modules = loaded_by("import hsmtss_jax; dir(hsmtss_jax)")
    assert not modules & {"jax", "flax", "numpy"}
    assert {name for name in modules if name.startswith("hsmtss_jax")} == {"hsmtss_jax"}


def test_options_and_results_load_no_jax():
    modules = loaded_by(
        "from hsmtss_jax.inference import SeparateOptions, SeparationResult, Failed"
    )
    assert not modules & {"jax", "flax", "scipy"}
    assert all(hasattr(inference, name) for name in inference.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(inference, "nothing")  # noqa: B009


def test_the_package_s_names_are_there():
    code = "; ".join(
        f"assert hsmtss_jax.{name}" for name in ("Separator", "Captioner", "Codec", "parse")
    )
    loaded_by(f"import hsmtss_jax; {code}")
    assert {"SeparateOptions", "Policy", "Instruction", "AudioError"} <= set(dir(hsmtss_jax))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(hsmtss_jax, "nothing")  # noqa: B009
