"""A short run of ``python -m tests.mishaps``, with a seed of its own."""

import numpy as np
import pytest

from tests.mishaps.__main__ import GOOD, tally
from tests.mishaps.damages import DAMAGES
from tests.mishaps.runs import config, go

SEED = 20_261


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight") / "run"
    go(config(), folder)
    return folder


@pytest.mark.parametrize(("kind", "count"), [("damages", 4), ("divergences", 2)])
def test_nothing_goes_wrong(kind, count, straight):
    said = []
    found = tally(kind, count, SEED, straight, say=said.append)
    assert set(found) <= set(GOOD), "\n".join(said)


def test_damages_change_something(tmp_path):
    for number, damage in enumerate(DAMAGES):
        run = tmp_path / str(number)
        for step in ("20", "40"):
            for part in ("state", "data", "config"):
                (run / step / part).mkdir(parents=True)
                (run / step / part / "content").write_text(f"{step} {part}" * 20)
        before = contents(run)
        assert damage(np.random.default_rng(number), run / "40")
        assert contents(run) != before


def contents(folder):
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
