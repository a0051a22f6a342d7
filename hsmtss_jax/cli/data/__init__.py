"""``hsmtss data TASK``: make data sets."""

from hsmtss_jax.cli.command import Group

GROUP = Group(
    package="hsmtss_jax.cli.data",
    kind="task",
    commands={"prepare": "turn a published set, or a folder of sounds, into records"},
    description="Make data sets, once, before training.",
)
