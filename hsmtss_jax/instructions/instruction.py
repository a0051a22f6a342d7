"""Parsed instruction: a task and a description (HSM-TSS section III-F), and its warning."""

import dataclasses
from typing import Any

from hsmtss_jax.instructions.amounts import Amount
from hsmtss_jax.instructions.spans import Span
from hsmtss_jax.task import Task


class InstructionWarning(UserWarning):
    """Warn that a sentence may be misunderstood, or that a part of it is not followed."""


@dataclasses.dataclass(frozen=True)
class Instruction:
    """Store a task and the description of a sound: what the networks are asked, and equality compares.

    Attributes:
      task: "extract" keeps the described sound, "remove" keeps everything else.
      description: words that describe the sound.
      source: name of the parser, or "given" by the caller.
      note: the reason why the requested parser was not used, or "".
      spans: the parts of the recording that the work is limited to; all of it where there are none.
      amount: gains of the wanted and the unwanted sound in the target; None: 1 and 0.

    Raises:
      ValueError: unknown task.
    """

    task: Task
    description: str
    source: str = dataclasses.field(default="given", compare=False)
    note: str = dataclasses.field(default="", compare=False)
    spans: tuple[Span, ...] = dataclasses.field(default=(), compare=False)
    amount: Amount | None = dataclasses.field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", Task(self.task))
        if self.amount is not None and self.amount.whole:
            object.__setattr__(self, "amount", None)

    @property
    def opposite(self) -> "Instruction":
        """Return the same description with the other task."""
        return dataclasses.replace(self, task=self.task.opposite)

    @property
    def extraction(self) -> "Instruction":
        """Return the same description to be extracted, whose presence is asked for."""
        return dataclasses.replace(self, task=Task.EXTRACT)

    def __str__(self) -> str:
        return f"{self.task} {self.description!r} {self.limits}".strip()

    @property
    def limits(self) -> str:
        """Return the amount and the spans as text, "by 6dB, 0:02-0:04"; "" where there are none."""
        amount = [] if self.amount is None else [f"by {self.amount}"]
        return ", ".join([*amount, *map(str, self.spans)])

    def as_dict(self) -> dict[str, Any]:
        """Return task, description and source for JSON, and note, spans and amount where they are given."""
        fields: dict[str, Any] = {
            "task": self.task,
            "description": self.description,
            "source": self.source,
        }
        if self.note:
            fields["note"] = self.note
        if self.spans:
            fields["spans"] = [str(span) for span in self.spans]
        if self.amount is not None:
            fields["amount"] = str(self.amount)
        return fields
