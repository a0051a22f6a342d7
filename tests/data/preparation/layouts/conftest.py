"""A small copy of a published set in a folder of its own."""

from pathlib import Path

import pytest

from hsmtss_jax.data.preparation.layouts.registry import layout_of
from hsmtss_jax.data.preparation.report import Report
from tests.data.preparation import sounds
from tests.data.preparation.published import PUBLISHED


class Copy:
    """Hold a small copy of a set; prepare it."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.layout = root / name, layout_of(name)
        PUBLISHED[name](self.root)

    def prepare(self, *parts: str, **options) -> Report:
        return sounds.prepare_set(self.layout, self.root, parts, **options)

    @property
    def clips(self) -> dict[str, dict]:
        return sounds.prepared(self.root)

    @property
    def left_out(self) -> list[list[str]]:
        return sounds.left_out(self.root)


@pytest.fixture
def copy(tmp_path, request) -> Copy:
    """The set that the test module is named after."""
    name = request.module.__name__.rpartition(".test_")[2]
    return Copy(tmp_path, name)
