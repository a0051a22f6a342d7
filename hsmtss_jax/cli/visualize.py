"""``hsmtss visualize``: figures, a subcommand each; a training run's panels when none is named."""

from hsmtss_jax.cli import subtasks

TASKS = {
    "run": "the panels of a training run, drawn and written as sound",
    "attention": "what the global token attends to in a recording (Fig. 6)",
    "embedding": "global features of clips in the plane, coloured by label or tag",
}


def main(argv: list[str]) -> int:
    """Run the named task; errors of input are raised as ValueError or OSError."""
    if argv and not argv[0].startswith("-") and argv[0] not in TASKS:
        argv = ["run", *argv]
    return subtasks.run("visualize", "TASK", TASKS, argv, default="run")
