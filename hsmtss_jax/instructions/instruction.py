"""An instruction: a task and a description (HSM-TSS section III-F)."""

import dataclasses

from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True)
class Instruction:
    """task: "extract" keeps what is described, "remove" keeps the rest. description: of the sound.

    source: the parser that made it, "given" where a caller did. note: why that was not the parser that
    was asked for, else "". Two instructions are equal when task and description are.
    Raises ValueError for a task that is neither.
    """

    task: Task
    description: str
    source: str = dataclasses.field(default="given", compare=False)
    note: str = dataclasses.field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", Task(self.task))

    @property
    def opposite(self) -> "Instruction":
        """The same description with the other task."""
        return dataclasses.replace(self, task=self.task.opposite)

    def as_dict(self) -> dict[str, str]:
        """Plain JSON: task, description, source, and note where there is one."""
        fields = dataclasses.asdict(self)
        return fields if self.note else {name: fields[name] for name in fields if name != "note"}
