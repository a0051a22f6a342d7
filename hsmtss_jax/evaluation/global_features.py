"""True and predicted global features of mixtures, to be drawn side by side (HSM-TSS Fig. 5).

Legend: n mixtures, Cg width of G.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.task import TASKS, Task


class GlobalFeatures(NamedTuple):
    """true: G of the targets; predicted: from the mixtures and instructions; float32 [n, Cg] each.

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
    progress: Callable[[int], None] | None = None,
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
        if progress:
            progress(index + 1)
    if not labels:
        raise ValueError("there is no mixture to embed")
    return GlobalFeatures(np.stack(true), np.stack(predicted), labels)
