"""Mixtures of a prepared data set as files, with their pair list: a benchmark that anything can run on."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.evaluation.benchmarks.pair_list import PairRow, write_pair_list
from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.evaluation.routes import FLOAT
from hsmtss_jax.task import Task

LIST = "pairs.csv"


def write_mixtures(
    examples: Iterable[MixtureExample], folder: str | Path, groups: Mapping[str, str]
) -> int:
    """Write references/NAME.wav and mixtures/NAME.wav (float) and the pair list; return how many.

    groups: clip id -> recording, the unit of the bootstrap [the pair]. The list is written last.
    """
    where = Path(folder)
    rows = []
    for index, example in enumerate(examples):
        pair = pair_of(index, example, groups.get(example.recipe.target, ""))
        files = {kind: f"{kind}/{index:04d}.wav" for kind in ("references", "mixtures")}
        for kind, sound in (("references", pair.target), ("mixtures", pair.mixture)):
            (where / kind).mkdir(parents=True, exist_ok=True)
            write_audio(where / files[kind], sound, pair.sample_rate, FLOAT)
        texts = {each.task: each.description for each in pair.instructions}
        rows.append(
            PairRow(
                name=f"{index:04d}",
                text=texts[Task.EXTRACT],
                text_other=texts[Task.REMOVE],
                target=files["references"],
                mixture=files["mixtures"],
                group=pair.group,
            )
        )
    write_pair_list(where / LIST, rows)
    return len(rows)
