"""``hsmtss evaluate``: what the paper measures, a subcommand a table; separation when none is named."""

from hsmtss_jax.cli import subtasks

TASKS = {
    "separation": "the system on held-out mixtures (Tables II and III)",
    "retrieval": "captions find clips and clips find captions (Table V)",
    "captioning": "GPT-2 describes clips from a linear prefix (Table VI)",
    "codec": "the codec's resynthesis, bit rates and speed (Table VIII)",
    "probe": "a small classifier on frozen features, as HEAR does (Table VII)",
    "compare": "reports of separation side by side, with paired differences",
    "instructions": "sentences to task and description, by the rules or a language model",
}


def main(argv: list[str]) -> int:
    """Run the named task; errors of input are raised as ValueError or OSError."""
    return subtasks.run("evaluate", "TASK", TASKS, argv, default="separation")
