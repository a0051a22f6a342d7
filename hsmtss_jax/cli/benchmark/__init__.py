"""``hsmtss benchmark``: any separators on a list of pairs."""

from hsmtss_jax.cli.command import Group

__all__ = ["GROUP"]

GROUP = Group(
    package=__name__,
    kind="task",
    commands={
        "list": "published lists of pairs, what each needs and what was published",
        "make": "a pair list from a published list and its recordings",
        "draw": "a pair list of the kind of the paper's test sets",
        "files": "mixtures of a prepared data set as files, and their pair list",
        "run": "separate and score the pairs of a list, to be gone on with at any time",
        "table": "the table of one or more runs",
        "report": "a page of a run: tables, and clips to hear and to see",
    },
    description="Score separators, ours or others', on lists of pairs that can be shared.",
)
