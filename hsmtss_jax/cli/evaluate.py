"""``hsmtss evaluate``: what the paper measures, a subcommand a table; separation when none is named."""

import importlib

TASKS = {
    "separation": "the system on held-out mixtures (Tables II and III)",
    "retrieval": "captions find clips and clips find captions (Table V)",
    "captioning": "GPT-2 describes clips from a linear prefix (Table VI)",
    "probe": "a small classifier on frozen features, as HEAR does (Table VII)",
}


def main(argv: list[str]) -> int:
    """Run the named task; errors of input are raised as ValueError or OSError."""
    if argv and argv[0] in ("-h", "--help"):
        print(_usage())
        return 0
    if not argv or argv[0].startswith("-"):
        argv = ["separation", *argv]
    if argv[0] not in TASKS:
        raise ValueError(f"unknown task {argv[0]!r}: choose one of {', '.join(TASKS)}")
    return importlib.import_module(f"hsmtss_jax.cli.evaluate_{argv[0]}").main(argv[1:])


def _usage() -> str:
    lines = ["usage: hsmtss evaluate [TASK] [options]", "", "tasks:"]
    lines += [f"  {name:<12}{text}" for name, text in TASKS.items()]
    lines += ["", "Without a task it is separation. hsmtss evaluate TASK --help explains a task."]
    return "\n".join(lines)
