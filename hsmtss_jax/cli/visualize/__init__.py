"""``hsmtss visualize``: figures, a command each."""

from hsmtss_jax.cli.command import Group

__all__ = ["GROUP"]

GROUP = Group(
    package=__name__,
    kind="figure",
    commands={
        "run": "the panels of a training run, drawn and written as sound",
        "embedding": "global features in the plane, true and predicted ones (Fig. 5)",
        "attention": "what G attends to in a recording (Fig. 6)",
        "commands": "both commands on one recording, side by side (Fig. 7)",
    },
    description="Draw what a run, a system or a data set looks like.",
)
