"""What the separator is asked to do (paper section III-F): a task type and a description."""

import dataclasses
from typing import Literal

Task = Literal["extract", "remove"]


@dataclasses.dataclass(frozen=True)
class Instruction:
    """task: "extract" keeps what is described, "remove" keeps the rest. description: of the sound."""

    task: Task
    description: str
