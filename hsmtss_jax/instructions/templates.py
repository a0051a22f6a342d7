"""The query templates of the authors' demo page; the paper's metrics use templates only."""

from hsmtss_jax.task import Task

TEMPLATES: dict[Task, tuple[str, ...]] = {
    Task.EXTRACT: (
        "Extract: {}",
        "Extract {}",
        "Extract the sound of {}",
        "Separate: {}",
        "Separate {}",
        "Separate the sound of {}",
    ),
    Task.REMOVE: (
        "Remove: {}",
        "Remove {}",
        "Remove the sound of {}",
        "Drop: {}",
        "Drop {}",
        "Drop the sound of {}",
    ),
}


def render(task: Task, description: str, index: int = 0) -> str:
    """The task's template number ``index`` (taken modulo their count) with the description in it.

    ValueError: a task that is neither "extract" nor "remove".
    """
    if task not in TEMPLATES:
        raise ValueError(f"unknown task {task!r}: use one of {', '.join(TEMPLATES)}")
    templates = TEMPLATES[task]
    return templates[index % len(templates)].format(description)


def queries(task: Task, description: str) -> list[str]:
    """Every template of the task with the description in it."""
    return [render(task, description, index) for index in range(len(TEMPLATES.get(task, "x")))]
