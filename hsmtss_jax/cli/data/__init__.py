"""``hsmtss data TASK``: make data sets."""

from hsmtss_jax.cli.command import Group

GROUP = Group(
    package="hsmtss_jax.cli.data",
    kind="task",
    commands={
        "prepare": "turn a published set, or a folder of sounds, into records",
        "tags": "say which sounds the captions of a prepared set name",
        "manifest": "choose mixtures and write them as text",
        "mixtures": "write the sound of a manifest's mixtures as records",
        "inspect": "say what is in a data set, with mixtures to hear",
    },
    description="Make data sets, once, before training.",
)
