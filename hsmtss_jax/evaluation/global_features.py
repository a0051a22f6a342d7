"""True and predicted global features of mixtures, to be drawn side by side (HSM-TSS Fig. 5).

Legend: n mixtures, Cg width of G.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.data.sources import Clip, by_label
from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.task import TASKS, Task


class GlobalFeatures(NamedTuple):
    """Hold G float32 [n, Cg]. true: of the targets; predicted: from the mixtures and instructions.

    labels: of the targets [n].
    """

    true: np.ndarray
    predicted: np.ndarray
    labels: list[str]


def global_features(
    runtime: Runtime,
    examples: Iterable[MixtureExample],
    *,
    task: Task = Task.EXTRACT,
) -> GlobalFeatures:
    """Compute G of every target, and what the separators predict for it from the mixture.

    task: "extract" asks by the target's caption, "remove" by the other's. Raises ValueError for none.
    """
    true, predicted, labels = [], [], []
    for index, example in enumerate(examples):
        pair = pair_of(index, example)
        query = runtime.encode_text([pair.instructions[TASKS.index(task)]])
        mixture = runtime.encode_audio(pair.mixture[None])
        predicted.append(runtime.predict(mixture, query).g[0, 0])
        true.append(runtime.encode_audio(pair.target[None]).g[0, 0])
        labels.append(example.label_target)
    if not labels:
        raise ValueError("there is no mixture to embed")
    return GlobalFeatures(np.stack(true), np.stack(predicted), labels)


def clips_by_label(clips: Sequence[Clip], count: int) -> dict[str, list[int]]:
    """Return the ``count`` commonest labels -> numbers of their clips."""
    groups = sorted(by_label(clips).items(), key=lambda item: (-len(item[1]), item[0]))
    return dict(groups[:count])


def clips_by_tag(clips: Sequence[Clip], tags: Sequence[str]) -> dict[str, list[int]]:
    """Return each tag -> numbers of the clips that carry it and none of the others.

    Raises ValueError for a tag without such a clip.
    """
    found = {
        tag: [i for i, clip in enumerate(clips) if clip.tags.intersection(tags) == {tag}]
        for tag in tags
    }
    for tag, indices in found.items():
        if not indices:
            raise ValueError(f"no clip carries the tag {tag!r} and none of the others")
    return found
