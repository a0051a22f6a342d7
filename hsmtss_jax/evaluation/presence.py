"""What a separator does when it is asked for a sound that is not there.

Each mixture is asked for three sounds: the two that are in it, and one that is not. The presence score is
judged by how well it tells them apart (AUC), and so is the level of what comes out; an output for an
absent sound is compared with silence by logWMSE, where SDR is undefined.

Legend: L samples.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.level import rms
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.sources import Clip, overlaps
from hsmtss_jax.evaluation.pairs import Pair, pair_of
from hsmtss_jax.evaluation.scorers import LogWMSE
from hsmtss_jax.inference.options import Failed, SeparateOptions
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.metrics import auc_with_interval, mean_with_interval
from hsmtss_jax.metrics.tables import Column, Report, Row, Table
from hsmtss_jax.task import Task

KINDS = ("target", "other", "absent")
_FLOOR = 1e-6  # of a level: -120 dB
_COLUMNS = (
    Column("auc", "AUC, present or absent ↑", 3),
    Column("present", "mean of present", 3),
    Column("absent", "mean of absent", 3),
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """Store what came of one question. kind: one of ``KINDS``; presence: its score [0, 1], else NaN.

    level_db: of the output, to the mixture's [dB]. log_wmse: of an absent sound's output beside silence;
    NaN for a present one, or without the package. group: recording of the mixture's target.
    """

    index: int
    kind: str
    text: str
    group: str
    presence: float
    level_db: float
    log_wmse: float = math.nan


def evaluate_presence(
    separator: Separator,
    examples: Iterable[MixtureExample],
    absent: Callable[[MixtureExample, int], str],
    *,
    options: SeparateOptions | None = None,
    groups: Mapping[str, str] | None = None,
    log_wmse: LogWMSE | None = None,
    about: Mapping[str, Any] | None = None,
) -> Report:
    """Ask every mixture for what is there and what is not.

    Args:
      separator: what is measured.
      examples: mixtures; one is in memory at a time.
      absent: gives the description of a sound that mixture number i does not hold.
      options: of the separation, as it ships by default; mixture i is separated with seed + i.
      groups: clip id -> recording, the unit of the bootstrap. None: mixtures are.
      log_wmse: measures outputs for absent sounds; None leaves it out, and the report says so.
      about: what to keep in the report about the examples.

    Raises ValueError when there is no mixture.
    """
    options = options or SeparateOptions()
    answers: list[Answer] = []
    for index, example in enumerate(examples):
        pair = pair_of(index, example, (groups or {}).get(example.recipe.target, ""))
        recipe = example.recipe
        texts = (recipe.caption_target, recipe.caption_other, absent(example, index))
        answers += _ask(
            separator, pair, texts, options.replace(seed=options.seed + index), log_wmse
        )
    if not answers:
        raise ValueError("there is no mixture to ask")
    return report(answers, about or {})


def absent_text(clips: Sequence[Clip], example: MixtureExample, seed: int) -> str:
    """Draw the caption of a clip that shares no event with either sound of a mixture.

    Raises ValueError when there is none.
    """
    by_id = {clip.id: clip for clip in clips}
    inside = [by_id[example.recipe.target], by_id[example.recipe.other]]
    order = np.random.default_rng(seed).permutation(len(clips))
    found = (clip for i in order if not any(overlaps(clip := clips[i], other) for other in inside))
    clip = next(found, None)
    if clip is None:
        raise ValueError(f"every clip shares an event with the mixture of {inside[0].id}")
    return clip.captions[0]


def report(answers: Sequence[Answer], about: Mapping[str, Any]) -> Report:
    """Build the table of both ways to tell presence, and that of what comes out for absent sounds."""
    groups = [answer.group for answer in answers]
    present = np.array([answer.kind != "absent" for answer in answers])
    rows = []
    for name, key in (("presence score", "presence"), ("level of the output (dB)", "level_db")):
        values = np.array([getattr(answer, key) for answer in answers])
        if np.isnan(values).any():  # a system without presence score
            continue
        means = {
            kind: mean_with_interval(values[chosen], groups=np.array(groups)[chosen])
            for kind, chosen in (("present", present), ("absent", ~present))
        }
        rows.append(Row(name, {"auc": auc_with_interval(values, present, groups), **means}, key))
    tables = [Table(_COLUMNS, rows, corner=f"{len(answers) // len(KINDS)} mixtures")]
    values = np.array([answer.log_wmse for answer in answers])
    notes = ["Every mixture is asked for its two sounds and for one that it does not hold."]
    if np.isfinite(values).any():
        estimate = mean_with_interval(values[~present], groups=np.array(groups)[~present])
        rows.append(Row("output beside silence, logWMSE ↑", {"absent": estimate}, "log_wmse"))
    else:
        notes.append("Not computed: logWMSE (--log-wmse).")
    return Report(tables, about, [dataclasses.asdict(answer) for answer in answers], notes)


def _ask(
    separator: Separator,
    pair: Pair,
    texts: Sequence[str],
    options: SeparateOptions,
    log_wmse: LogWMSE | None,
) -> list[Answer]:
    """Ask for each text, to be extracted."""
    instructions = [Instruction(Task.EXTRACT, text) for text in texts]
    found = separator.separate_many(
        [pair.mixture], instructions, sample_rate=SAMPLE_RATE, options=options
    )
    results = [result for result in next(iter(found)) if not isinstance(result, Failed)]
    silence = dataclasses.replace(pair, target=np.zeros_like(pair.target))
    level = max(rms(pair.mixture), _FLOOR)
    answers = []
    for kind, text, result in zip(KINDS, texts, results, strict=True):
        sound = result.target[:, 0]
        measured = math.nan
        if kind == "absent" and log_wmse is not None:
            measured = log_wmse([sound], silence)[0].values["log_wmse"]
        answers.append(
            Answer(
                index=pair.index,
                kind=kind,
                text=text,
                group=pair.group,
                presence=math.nan if result.presence is None else float(result.presence),
                level_db=20 * math.log10(max(rms(sound), _FLOOR) / level),
                log_wmse=measured,
            )
        )
    return answers
