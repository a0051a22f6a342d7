"""Make the chosen pairs of a report again: their sounds as Opus, their spectrograms, what was scored.

Legend: L samples.
"""

import functools
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.formats import RATES
from hsmtss_jax.audio.io import resample, write_audio
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.evaluation.benchmarks.choice import Chosen
from hsmtss_jax.evaluation.benchmarks.page import Clip, Sound, data_uri
from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.evaluation.routes import Route
from hsmtss_jax.evaluation.scores import PairScore, routes_of
from hsmtss_jax.metrics import si_sdr
from hsmtss_jax.task import Task

OPUS = OutputOptions(format="opus", bitrate=48)
PLAYED = 48_000  # rate of what Opus has no rate for [Hz]
SAME_DB = 0.1  # SI-SDR of a sound that was scored and of the same made again
Draw = Callable[[np.ndarray, int, float | None], bytes]  # sound [L], rate [Hz], top [dBFS] -> PNG
Level = Callable[[np.ndarray, int], float]  # sound [L], rate [Hz] -> top [dBFS]


def make_clips(
    chosen: Sequence[Chosen],
    scores: Sequence[PairScore],
    pairs: Callable[[int], Pair] | None,
    routes: Sequence[Route],
    *,
    seed: int,
    draw: Draw,
    level: Level,
) -> Iterator[Clip]:
    """Yield the clips in turns of their ranks, the first of each rank first.

    Args:
      chosen: what to show.
      scores: of all pairs and routes.
      pairs: gives pair i; None where there are no recordings: clips have numbers only.
      routes: that make sounds again; routes of the scores that are not among them have numbers only.
      seed: that the scores were made with: pair i is made with seed + i.
      draw: makes a picture of a sound.
      level: measures the brightest colour of a clip's pictures, on its mixture.
    """
    for each in _by_turns(chosen):
        found = {s.route: s for s in scores if (s.index, s.task) == (each.index, each.task)}
        text = next(iter(found.values())).text
        if pairs is None:
            silent = [
                Sound(route, found[route].values) for route in routes_of(list(found.values()))
            ]
            yield Clip(each, str(each.index), text, 0.0, 0.0, silent)
            continue
        pair = pairs(each.index)
        which = [i.task for i in pair.instructions].index(Task(each.task))
        made = {r.name: r(pair, seed + pair.index)[which] for r in routes if r.name in found}
        picture = functools.partial(
            _picture, draw, pair.sample_rate, level(pair.mixture, pair.sample_rate)
        )
        sounds = [
            _sound(found[route], made.get(route), pair, picture)
            for route in routes_of(list(found.values()))
        ]
        seconds = len(pair.target) / pair.sample_rate
        yield Clip(each, pair.name, text, seconds, pair.sample_rate / 2, sounds)


def encode(sound: np.ndarray, sample_rate: int) -> bytes:
    """Return a sound [L] as Ogg Opus; what is beyond 1 is cut off, as a loudspeaker would."""
    if sample_rate not in RATES["OPUS"]:
        sound, sample_rate = resample(sound, sample_rate, PLAYED), PLAYED
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.opus"
        write_audio(path, np.clip(sound, -1, 1), sample_rate, OPUS)
        return path.read_bytes()


def _picture(draw: Draw, sample_rate: int, top_db: float, sound: np.ndarray) -> str:
    return data_uri("image/png", draw(sound, sample_rate, top_db))


def _by_turns(chosen: Sequence[Chosen]) -> list[Chosen]:
    seen: dict[str, int] = {}
    turns = []
    for each in chosen:
        seen[each.rank] = seen.get(each.rank, 0) + 1
        turns.append(seen[each.rank])
    return [chosen[i] for i in sorted(range(len(chosen)), key=lambda i: turns[i])]


def _sound(
    score: PairScore, sound: np.ndarray | None, pair: Pair, picture: Callable[[np.ndarray], str]
) -> Sound:
    if sound is None:
        return Sound(score.route, score.values)
    return Sound(
        score.route,
        score.values,
        data_uri("audio/ogg", encode(sound, pair.sample_rate)),
        picture(sound),
        _difference(score.values, sound, pair),
    )


def _difference(values: Mapping[str, float], sound: np.ndarray, pair: Pair) -> str:
    """Return a note where the sound is not the one that was scored; "" where it is."""
    was, now = values.get("si_sdr", math.nan), float(si_sdr(sound, pair.target))
    if math.isnan(was) or was == now or abs(was - now) <= SAME_DB:
        return ""
    return f"made anew, not quite as scored: SI-SDR is {now:.1f} dB here, was {was:.1f} dB"
