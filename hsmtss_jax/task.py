"""The two tasks of the system: keep the described sound, or take it away (HSM-TSS section III-F)."""

import enum


class Task(enum.StrEnum):
    """Name a task; its value is the word whose embedding is T_task."""

    EXTRACT = "extract"
    REMOVE = "remove"

    @property
    def opposite(self) -> "Task":
        """Return the other task."""
        return Task.REMOVE if self is Task.EXTRACT else Task.EXTRACT

    @property
    def number(self) -> int:
        """Return the integer that stands for the task in a batch: its place in ``TASKS``."""
        return TASKS.index(self)


TASKS = tuple(Task)
