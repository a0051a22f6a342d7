"""``hsmtss evaluate``: what the paper measures, a command a table."""

from hsmtss_jax.cli.command import Group

__all__ = ["GROUP"]

GROUP = Group(
    package=__name__,
    kind="task",
    commands={
        "separation": "the system on held-out mixtures (Tables II and III)",
        "folder": "sounds that any separator made, beside their references",
        "presence": "is what is asked for there: scores and outputs for present and absent sounds",
        "retrieval": "captions find clips and clips find captions (Table V)",
        "captioning": "GPT-2 describes clips from a linear prefix (Table VI)",
        "codec": "the codec's resynthesis, bit rates and speed (Table VIII)",
        "probe": "a small classifier on frozen features, as HEAR does (Table VII)",
        "compare": "reports of separation side by side, with paired differences",
        "instructions": "sentences to task and description, by the rules or a language model",
    },
    default="separation",
    description="Score a system, or a part of one, on a benchmark; separation where none is named.",
)
