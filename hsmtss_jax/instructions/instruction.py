"""Parsed instruction: a task and a description (HSM-TSS section III-F), and its warning."""

import dataclasses

from hsmtss_jax.task import Task


class InstructionWarning(UserWarning):
    """Warn that a sentence may be misunderstood, or that a part of it is not followed."""


@dataclasses.dataclass(frozen=True)
class Instruction:
    """Store a task and the description of a sound. Equality compares these two.

    Attributes:
      task: "extract" keeps the described sound, "remove" keeps everything else.
      description: words that describe the sound.
      source: name of the parser, or "given" by the caller.
      note: the reason why the requested parser was not used, or "".

    Raises:
      ValueError: unknown task.
    """

    task: Task
    description: str
    source: str = dataclasses.field(default="given", compare=False)
    note: str = dataclasses.field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", Task(self.task))

    @property
    def opposite(self) -> "Instruction":
        """Return the same description with the other task."""
        return dataclasses.replace(self, task=self.task.opposite)

    @property
    def extraction(self) -> "Instruction":
        """Return the same description to be extracted, whose presence is asked for."""
        return dataclasses.replace(self, task=Task.EXTRACT)

    def as_dict(self) -> dict[str, str]:
        """Return the fields for JSON: task, description, source, and note unless it is empty."""
        fields = dataclasses.asdict(self)
        return fields if self.note else {name: fields[name] for name in fields if name != "note"}
