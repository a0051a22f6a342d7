"""Query templates of the authors' demo page; the paper's metrics use templates only."""

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
    """Fill the description into the task's template ``index`` (modulo the number of templates).

    Raises:
      ValueError: a task that is neither "extract" nor "remove".
    """
    if task not in TEMPLATES:
        raise ValueError(f"unknown task {task!r}: use one of {', '.join(TEMPLATES)}")
    templates = TEMPLATES[task]
    return templates[index % len(templates)].format(description)


def queries(task: Task, description: str) -> list[str]:
    """Fill the description into every template of the task."""
    return [render(task, description, index) for index in range(len(TEMPLATES.get(task, "x")))]
