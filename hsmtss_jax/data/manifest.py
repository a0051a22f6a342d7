"""Draw mixtures for evaluation, and read and write manifests: jsonl files to rebuild the same mixtures.

A mixture is given by (config, split, seed, index) and, once drawn, by its recipe alone.
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grain
import numpy as np

from hsmtss_jax.atomic import replace_file
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.channel import Channel
from hsmtss_jax.data.mixing import Layer, Mixer, MixtureExample, Recipe
from hsmtss_jax.data.pipeline import examples, mixture_order
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.data.records import read_index
from hsmtss_jax.data.sets import open_clips
from hsmtss_jax.task import TASKS


def mixture_examples(
    config: DataConfig, split: str, seed: int, count: int, *, samples: int
) -> Iterator[MixtureExample]:
    """Draw the first mixtures of a split: those of ``mixture_dataset``, with their metadata.

    Outside training the targets go round the labels, so a small count covers many.

    Args:
      config: the data set, and how clips are mixed.
      split: name of the split.
      seed: mixtures depend on it and on their number alone.
      count: number of mixtures.
      samples: length of a mixture.
    """
    config = dataclasses.replace(config, eval_examples=count)
    dataset = example_dataset(config, split, seed, samples=samples)
    for index in range(count):
        yield dataset[index]


def example_dataset(
    config: DataConfig, split: str, seed: int, *, samples: int
) -> grain.MapDataset[MixtureExample]:
    """Return MixtureExample by index, drawn as in training when split is "train"."""
    source, train = open_clips(config, split), split == "train"
    mixer = Mixer(source, config, samples, augmented=train and config.augment, train=train)
    return examples(mixture_order(source, config, split), _Draw(mixer), split, seed)


class _Draw:
    """Call Mixer.draw, picklable."""

    def __init__(self, mixer: Mixer) -> None:
        self._mixer = mixer

    def __call__(self, index: int, rng: Any) -> MixtureExample:
        return self._mixer.draw(index, rng)


def write_manifest(
    path: str | os.PathLike,
    config: DataConfig,
    split: str,
    seed: int,
    count: int,
    *,
    samples: int,
) -> None:
    """Write one line per mixture, atomically: recipe, text, measured SNR, labels.

    Args:
      path: the file; its folder is made.
      config: as the rest, see ``mixture_examples``.
      split: name of the split.
      seed: of the mixtures.
      count: number of mixtures.
      samples: length of a mixture.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(target) as work, open(work, "w", encoding="utf-8") as out:
        mixtures = mixture_examples(config, split, seed, count, samples=samples)
        for index, example in enumerate(mixtures):
            head = {"index": index, "seed": seed, "split": split, "samples": samples}
            out.write(json.dumps(head | to_row(example), ensure_ascii=False) + "\n")


def read_manifest(path: str | os.PathLike, config: DataConfig) -> Iterator[MixtureExample]:
    """Rebuild the mixtures of a manifest from the clips of ``config.root``.

    Raises OSError when the file is not there, ValueError for a broken line or an unknown clip.
    """
    if not Path(path).is_file():
        raise OSError(f"no manifest at {path}")
    mixers: dict[tuple[str, int], Mixer] = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                key, recipe = (row["split"], row["samples"]), from_row(row)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}:{number} is no mixture recipe: {error!r}") from error
            if key not in mixers:
                source = open_clips(config, key[0])
                mixers[key] = Mixer(source, config, key[1], augmented=False, train=False)
            yield mixers[key].rebuild(recipe)


def to_row(example: MixtureExample) -> dict[str, Any]:
    """Return the JSON row of a mixture (without its audio)."""
    recipe = example.recipe
    return dataclasses.asdict(recipe) | {
        "task": TASKS[recipe.task],
        "text": recipe.text,
        "measured_snr": round(example.snr, 3),
        "label_target": example.label_target,
        "label_other": example.label_other,
    }


def from_row(row: dict[str, Any]) -> Recipe:
    """Return the recipe of a JSON row."""
    return Recipe(
        target=row["target"],
        other=row["other"],
        target_placement=_placement(row["target_placement"]),
        other_placement=_placement(row["other_placement"]),
        snr=row["snr"],
        task=TASKS.index(row["task"]),
        caption_target=row["caption_target"],
        caption_other=row["caption_other"],
        layers=tuple(
            Layer(layer["clip"], _placement(layer["placement"]), layer["gain"])
            for layer in row.get("layers", ())
        ),
        caption_absent=row.get("caption_absent", ""),
        channel=_channel(row.get("channel", {})),
    )


def _placement(row: dict[str, Any]) -> Placement:
    return Placement(**{**row, "offsets": tuple(row["offsets"])})


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(**{**row, "band": tuple(row.get("band", (0.0, 0.0)))})


def recording_groups(root: str | os.PathLike, split: str) -> dict[str, str]:
    """Return clip id -> the recording it was cut from (field ``group``), of clips that name one."""
    rows = read_index(root, split)
    return {row["id"]: str(row["group"]) for row in rows if row.get("group")}


def mixtures_of(
    config: DataConfig, split: str, seed: int, targets: Sequence[int], *, samples: int
) -> Iterator[MixtureExample]:
    """Yield a mixture for each of some clips; it depends on seed and target alone.

    Args:
      config: the data set, and how clips are mixed.
      split: name of the split.
      seed: of the mixtures.
      targets: numbers of clips in the split.
      samples: length of a mixture.
    """
    mixer = Mixer(open_clips(config, split), config, samples, augmented=False, train=False)
    for target in targets:
        yield mixer.draw(target, np.random.default_rng((seed, target)))
