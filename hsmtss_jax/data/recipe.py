"""Recipes: all choices of a mixture, enough to make it again, and as JSON rows."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from hsmtss_jax.data import channel
from hsmtss_jax.data.channel import Channel
from hsmtss_jax.data.placement import Placement
from hsmtss_jax.task import TASKS, Task

EXTRACT, REMOVE = Task.EXTRACT.number, Task.REMOVE.number


@dataclasses.dataclass(frozen=True)
class Layer:
    """Store the choices for a third or further clip. ``gain``: its active level over what it joins [dB]."""

    clip: str
    placement: Placement
    gain: float


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Store the choices of a mixture. ``snr`` over active parts [dB]; None: gains unchanged.

    ``caption_absent``: describes a sound that is not there, "" where the text describes one that is.
    """

    target: str  # clip id
    other: str
    target_placement: Placement
    other_placement: Placement
    snr: float | None
    task: int
    caption_target: str
    caption_other: str
    layers: tuple[Layer, ...] = ()
    caption_absent: str = ""
    channel: Channel = channel.UNCHANGED

    @property
    def text(self) -> str:
        """Return the description in the instruction."""
        if self.caption_absent:
            return self.caption_absent
        return self.caption_target if self.task == EXTRACT else self.caption_other

    @property
    def plain(self) -> bool:
        """Return whether either of two clips may be described, so that either task has the same target."""
        return not self.layers and not self.caption_absent


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as plain JSON; task by its name."""
    row = vars(recipe) | {"task": TASKS[recipe.task].value, "text": recipe.text}
    row["target_placement"] = vars(
        recipe.target_placement
    )  # dataclasses.asdict takes ten times as long
    row["other_placement"] = vars(recipe.other_placement)
    row["layers"] = [vars(layer) | {"placement": vars(layer.placement)} for layer in recipe.layers]
    row["channel"] = vars(recipe.channel)
    return row


def read_recipe(row: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a row. Raises KeyError, TypeError or ValueError where it is none."""
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


def _placement(row: Mapping[str, Any]) -> Placement:
    return Placement(**{**row, "offsets": tuple(row["offsets"])})


def _channel(row: Mapping[str, Any]) -> Channel:
    return Channel(**{**row, "band": tuple(row.get("band", (0.0, 0.0)))})
