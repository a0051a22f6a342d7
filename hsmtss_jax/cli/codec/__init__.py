"""``hsmtss codec``: the neural codec by itself, a command each way."""

from hsmtss_jax.cli.command import Group

__all__ = ["GROUP"]

GROUP = Group(
    package=__name__,
    kind="task",
    commands={
        "encode": "a recording to a token file",
        "decode": "a token file to a recording",
        "info": "what a token file holds",
    },
    description="Turn sound into tokens and back.",
)
