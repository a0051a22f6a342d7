"""A test pair: one mixture and its target, asked for in both ways (HSM-TSS section IV-A).

"extract" names the target, "remove" the other clip; the mixture and the target are the same, so both
tasks' tables are about the same pairs.

Legend: L samples of the pair's own length.
"""

import dataclasses

import numpy as np

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import resample
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.task import TASKS, Task


@dataclasses.dataclass(frozen=True)
class Pair:
    """Hold mixture and target, float32 [L]. instructions: one a task, in the order of ``TASKS``.

    group: recording that the target is from, the unit of the bootstrap. snr_db: target to other [dB].
    caption: describes the target, whatever the task; "" where there is none. name: of its files [its
    index]. sample_rate: of both sounds [Hz].
    """

    index: int
    mixture: np.ndarray
    target: np.ndarray
    instructions: tuple[Instruction, ...]
    group: str
    snr_db: float
    caption: str = ""
    name: str = ""
    sample_rate: int = SAMPLE_RATE

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or str(self.index))

    def at(self, sample_rate: int) -> "Pair":
        """Return the pair at another rate [Hz]."""
        if sample_rate == self.sample_rate:
            return self
        mixture, target = (
            resample(x, self.sample_rate, sample_rate) for x in (self.mixture, self.target)
        )
        return dataclasses.replace(self, mixture=mixture, target=target, sample_rate=sample_rate)


def pair_of(index: int, example: MixtureExample, group: str = "") -> Pair:
    """Return the pair of a mixture example, cut to its own length: padding is no part of it.

    group: the target's recording [the pair alone].
    """
    recipe = example.recipe
    captions = {Task.EXTRACT: recipe.caption_target, Task.REMOVE: recipe.caption_other}
    return Pair(
        index=index,
        mixture=example.mixture[: example.length],
        target=example.target[: example.length],
        instructions=tuple(Instruction(task, captions[task]) for task in TASKS),
        group=group or str(index),
        snr_db=example.snr,
        caption=recipe.caption_target,
    )
