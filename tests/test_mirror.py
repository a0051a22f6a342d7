"""Tests mirror the code: for every module with logic there is a test file of its name.

``hsmtss_jax/models/text/t5.py`` is tested in ``tests/models/text/test_t5.py``. A module is let off here
only with a reason: where else what it promises is tested.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hsmtss_jax"

ELSEWHERE = {
    "__init__.py": "tests/test_layering.py",
    "inference/__init__.py": "tests/test_layering.py",
    "speed/torch_tf_codec.py": "tests/parity/test_tf_codec.py",
    "speed/torch_resunet.py": "tests/parity/test_audiosep.py",
}
PACKAGES_ELSEWHERE = {
    "cli": "commands are tested as commands, in tests/cli and beside what they call",
    "testing": "what tests share: tried by every test that uses it",
}


def has_logic(path: Path) -> bool:
    """Whether a module defines a function or a class."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in ast.parse(path.read_text()).body)


def home(module: Path) -> Path:
    """Return where the tests of a module are; those of a package are named after it."""
    where = module.relative_to(PACKAGE)
    name = where.parent.name if where.name == "__init__.py" else where.stem
    return ROOT / "tests" / where.parent / f"test_{name}.py"


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if has_logic(path)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_has_a_test_file_of_its_name(module):
    where = module.relative_to(PACKAGE)
    if where.parts[0] in PACKAGES_ELSEWHERE or str(where) in ELSEWHERE:
        return
    wanted = home(module)
    assert wanted.exists(), f"write {wanted.relative_to(ROOT)}: what does {where} promise?"


def test_the_exceptions_are_of_today():
    for name, test in ELSEWHERE.items():
        assert (PACKAGE / name).exists() and (ROOT / test).exists()
        assert not home(PACKAGE / name).exists(), f"{name} is no exception any more"
    assert all((PACKAGE / name).is_dir() for name in PACKAGES_ELSEWHERE)
