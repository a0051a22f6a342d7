"""What the separator is asked to do (paper section III-F): a task type and a description."""

import dataclasses
from typing import Literal

Task = Literal["extract", "remove"]
OPPOSITE: dict[Task, Task] = {"extract": "remove", "remove": "extract"}


@dataclasses.dataclass(frozen=True)
class Instruction:
    """task: "extract" keeps what is described, "remove" keeps the rest. description: of the sound.

    source: the parser that made it, "given" where a caller did. note: why that was not the parser that
    was asked for, else "". Two instructions are equal when task and description are.
    """

    task: Task
    description: str
    source: str = dataclasses.field(default="given", compare=False)
    note: str = dataclasses.field(default="", compare=False)

    def as_dict(self) -> dict[str, str]:
        """Plain JSON: task, description, source, and note where there is one."""
        fields = dataclasses.asdict(self)
        return fields if self.note else {name: fields[name] for name in fields if name != "note"}
