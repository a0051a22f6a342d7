"""Run routes over pairs and score what they make, a line of JSON a pair, so that a run can go on.

The log's first line says what makes the numbers; a run with another one is refused. A line that was cut
short by an interruption is made again.
"""

import base64
import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.evaluation.routes import Route
from hsmtss_jax.evaluation.scorers import Scorer
from hsmtss_jax.evaluation.scores import PairScore

Sounds = Mapping[str, Sequence[np.ndarray]]  # route -> a sound an instruction


def judge(
    routes: Sequence[Route],
    pairs: Iterable[Pair],
    scorers: Sequence[Scorer],
    *,
    seed: int = 0,
    log: "Log | None" = None,
) -> Iterator[PairScore]:
    """Yield the scores of every route on every pair, task by task; pair i is made with seed + i.

    Args:
      routes: with names of their own.
      pairs: one is in memory at a time.
      scorers: what is measured.
      seed: of what is drawn.
      log: of pairs that are done, which are not made again.

    Raises ValueError for two routes of one name, and what the routes raise.
    """
    names = [route.name for route in routes]
    if len(set(names)) < len(names):
        raise ValueError(f"two routes have one name ({', '.join(names)}): name them apart")
    for pair in pairs:
        found = log.scores(pair.index) if log else None
        if found is None:
            sounds = {route.name: route(pair, seed + pair.index) for route in routes}
            found = score_sounds(sounds, pair, scorers)
            if log:
                log.write(pair.index, found)
        yield from found


def score_sounds(sounds: Sounds, pair: Pair, scorers: Sequence[Scorer]) -> list[PairScore]:
    """Score each route's sounds; one that does not depend on the instruction is scored once."""
    different = {id(sound): sound for each in sounds.values() for sound in each}
    values: dict[int, dict[str, float]] = {key: {} for key in different}
    embeddings: dict[int, dict[str, np.ndarray]] = {key: {} for key in different}
    for scorer in scorers:
        scored = scorer(list(different.values()), pair) if different else []
        for key, score in zip(different, scored, strict=True):
            values[key] |= score.values
            if score.embedding is not None:
                embeddings[key][scorer.name] = np.asarray(score.embedding, np.float16)
    return [
        PairScore(
            index=pair.index,
            task=str(instruction.task),
            route=route,
            text=instruction.description,
            group=pair.group,
            snr_db=pair.snr_db,
            values=dict(values[id(sound)]),
            embeddings=embeddings[id(sound)],
        )
        for route, each in sounds.items()
        for instruction, sound in zip(pair.instructions, each, strict=True)
    ]


class Log:
    """Write a file of finished pairs. A context manager; the file is made at the first pair.

    Raises ValueError when a file that is there was made with another ``about``.
    """

    def __init__(self, path: str | os.PathLike[str], about: Mapping[str, Any]) -> None:
        """Read what is there. about: all that makes the numbers, as plain JSON."""
        self._path = Path(path)
        self._head = json.loads(json.dumps(about))
        self._done: dict[int, list[PairScore]] = {}
        self._file: TextIO | None = None
        if self._path.is_file():
            self._read()

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    @property
    def done(self) -> int:
        """Return how many pairs were read."""
        return len(self._done)

    def scores(self, index: int) -> list[PairScore] | None:
        """Return the scores of a pair that is done, or None."""
        return self._done.get(index)

    def write(self, index: int, scores: Sequence[PairScore]) -> None:
        """Add a pair, on disk when this returns."""
        line = {"index": index, "scores": [_packed(score) for score in scores]}
        self._append(line)

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            new = not self._path.is_file() or not self._path.stat().st_size
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", encoding="utf-8")
            if new:
                self._append({"about": self._head})
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def _read(self) -> None:
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole:
            about, self._done = _parsed(self._path, whole)
            keys = [k for k in {**about, **self._head} if about.get(k) != self._head.get(k)]
            if keys:
                raise ValueError(
                    f"{self._path} was made with another {', '.join(keys)}: give another file, or remove it"
                )
        if whole != text:
            os.truncate(self._path, len(whole.encode("utf-8")))


@dataclasses.dataclass(frozen=True)
class Logged:
    """Hold what logs hold. about: what made the first one's numbers; scores: in the order of the pairs."""

    about: Mapping[str, Any]
    scores: list[PairScore]


def read_logs(paths: Sequence[str | os.PathLike[str]]) -> Logged:
    """Read the logs of one run, or of its shards; a pair that is in several counts once.

    Raises OSError when one is not there, ValueError when one is of another run, or holds no pair.
    """
    heads: list[Mapping[str, Any]] = []
    done: dict[int, list[PairScore]] = {}
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        about, scores = _parsed(path, text[: text.rfind("\n") + 1])
        heads.append({key: value for key, value in about.items() if key != "shard"})
        if heads[0] != heads[-1]:
            keys = [key for key in heads[0] if heads[0][key] != heads[-1].get(key)]
            raise ValueError(f"{path} and {paths[0]} differ in {', '.join(keys)}: not one run")
        done |= scores
    if not done:
        raise ValueError(f"{paths[0]} holds no finished pair")
    return Logged(heads[0], [score for index in sorted(done) for score in done[index]])


def _parsed(
    path: str | os.PathLike[str], text: str
) -> tuple[Mapping[str, Any], dict[int, list[PairScore]]]:
    """Return the head of a log's whole lines, and the scores by pair. Raises ValueError."""
    try:
        head, *lines = [json.loads(line) for line in text.splitlines()]
        done = {line["index"]: [_unpacked(row) for row in line["scores"]] for line in lines}
        return dict(head["about"]), done
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no log of scores: give another file") from error


def _packed(score: PairScore) -> dict[str, Any]:
    packed = {
        name: base64.b64encode(vector.tobytes()).decode()
        for name, vector in score.embeddings.items()
    }
    return score.to_row() | ({"embeddings": packed} if packed else {})


def _unpacked(row: Mapping[str, Any]) -> PairScore:
    vectors = {
        name: np.frombuffer(base64.b64decode(text), np.float16)
        for name, text in row.get("embeddings", {}).items()
    }
    return PairScore(**{**row, "embeddings": vectors})
