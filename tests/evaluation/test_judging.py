"""Routes over pairs: seeds, and a run that goes on where it was left."""

import json

import numpy as np
import pytest

from hsmtss_jax.evaluation.judging import Log, judge, read_logs, score_sounds
from hsmtss_jax.evaluation.routes import Mixture, Target
from hsmtss_jax.evaluation.scorers import Divergence, SignalMetrics
from tests.evaluation.sounds import MeanJudge, make_pair

SCORERS = (SignalMetrics(), Divergence(MeanJudge()))


class Noisy:
    """A route that draws; counts its pairs."""

    name = "noisy"

    def __init__(self):
        self.made = []

    def __call__(self, pair, seed):
        self.made.append((pair.index, seed))
        noise = np.random.default_rng(seed).normal(size=len(pair.target)).astype(np.float32)
        return [pair.target + 0.1 * noise for _ in pair.instructions]


def pairs(count=3):
    return [make_pair(i, tasks=("extract", "remove")) for i in range(count)]


def test_every_route_on_every_pair_with_a_seed_of_its_own():
    noisy = Noisy()
    found = list(judge([Mixture(), noisy], pairs(), SCORERS, seed=7))
    assert noisy.made == [(0, 7), (1, 8), (2, 9)] and len(found) == 3 * 2 * 2
    first = found[0]
    assert (first.route, first.task, first.text, first.group) == (
        *("mixture", "extract", "a tone", "group 0"),
    )
    assert {"sdr", "kl_mean"} <= set(first.values) and first.embeddings["Mean"].shape == (2,)
    with pytest.raises(ValueError, match="two routes have one name"):
        list(judge([Mixture(), Mixture()], pairs(), SCORERS))


def test_a_sound_of_both_tasks_is_scored_once():
    calls = []

    class Counting(SignalMetrics):
        def __call__(self, sounds, pair):
            calls.append(len(sounds))
            return super().__call__(sounds, pair)

    pair = make_pair(tasks=("extract", "remove"))
    score_sounds(
        {"mixture": [pair.mixture] * 2, "other": [pair.target, pair.mixture]}, pair, [Counting()]
    )
    assert calls == [2]


def test_a_run_goes_on_where_it_was_left(tmp_path):
    path, about = tmp_path / "new" / "run.jsonl", {"seed": 7, "modes": ("mask",)}
    straight = list(judge([Noisy(), Target()], pairs(), SCORERS, seed=7))
    with Log(path, about) as log:
        list(judge([Noisy(), Target()], pairs(2), SCORERS, seed=7, log=log))
    with path.open("a") as file:
        file.write('{"index": 2, "sco')  # interrupted while it was written
    noisy = Noisy()
    with Log(path, about) as log:
        assert log.done == 2
        resumed = list(judge([noisy, Target()], pairs(), SCORERS, seed=7, log=log))
    assert noisy.made == [(2, 9)]
    assert [score.to_row() for score in resumed] == [score.to_row() for score in straight]
    for a, b in zip(resumed, straight, strict=True):
        np.testing.assert_array_equal(a.embeddings["Mean"], b.embeddings["Mean"])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 4 and lines[0]["about"] == {"seed": 7, "modes": ["mask"]}


def test_a_log_of_something_else_is_refused(tmp_path):
    path = tmp_path / "run.jsonl"
    with Log(path, {"seed": 0, "data": "a"}) as log:
        list(judge([Mixture()], pairs(1), SCORERS, log=log))
    with pytest.raises(ValueError, match="was made with another data: give another file"):
        Log(path, {"seed": 0, "data": "b"})
    path.write_text("words\n")
    with pytest.raises(ValueError, match="is no log of scores"):
        Log(path, {})


def test_shards_make_one_run(tmp_path):
    paths = [tmp_path / f"{i}.jsonl" for i in (0, 1)]
    for i, path in enumerate(paths):
        with Log(path, {"seed": 0, "shard": f"{i}/2"}) as log:
            list(judge([Mixture()], pairs(4)[i::2], SCORERS, log=log))
    found = read_logs([paths[1], paths[0], paths[0]])
    assert [score.index for score in found.scores] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found.about == {"seed": 0}
    with Log(tmp_path / "other.jsonl", {"seed": 1, "shard": "0/2"}) as log:
        list(judge([Mixture()], pairs(1), SCORERS, log=log))
    with pytest.raises(ValueError, match="differ in seed: not one run"):
        read_logs([paths[0], tmp_path / "other.jsonl"])
    (tmp_path / "empty.jsonl").write_text('{"about": {}}\n')
    with pytest.raises(ValueError, match="holds no finished pair"):
        read_logs([tmp_path / "empty.jsonl"])
