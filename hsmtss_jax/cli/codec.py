"""``hsmtss codec``: the neural codec by itself, a subcommand each way."""

from hsmtss_jax.cli import subtasks

TASKS = {
    "encode": "a recording to a token file",
    "decode": "a token file to a recording",
    "info": "what a token file holds",
}


def main(argv: list[str]) -> int:
    """Run the named task; errors of input are raised as ValueError or OSError."""
    return subtasks.run("codec", "TASK", TASKS, argv)
