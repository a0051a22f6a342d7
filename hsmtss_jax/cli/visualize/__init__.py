"""``hsmtss visualize``: figures, a command each."""

from hsmtss_jax.cli.command import Group

__all__ = ["GROUP"]

GROUP = Group(
    package=__name__,
    kind="figure",
    commands={
        "run": "the panels of a training run, drawn and written as sound",
        "embedding": "global features in the plane, coloured by label or tag (Fig. 5)",
        "attention": "what the global token attends to in a recording (Fig. 6)",
    },
    description="Draw what a run, a system or a data set looks like.",
)
