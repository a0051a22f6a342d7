"""Commands that have subcommands of their own: ``hsmtss evaluate TASK``, ``hsmtss bench PART``."""

import importlib
from collections.abc import Mapping


def run(
    command: str, kind: str, tasks: Mapping[str, str], argv: list[str], default: str | None = None
) -> int:
    """Run ``hsmtss_jax.cli.{command}_{task}`` for the task that argv names, with the arguments behind it.

    kind: what the usage calls a task. tasks: name -> what it does. default: the task when none is named.
    Raises ValueError for an unknown task.
    """
    if argv and argv[0] in ("-h", "--help"):
        print(_usage(command, kind, tasks, default))
        return 0
    if not argv or argv[0].startswith("-"):
        if default is None:
            raise ValueError(f"hsmtss {command} needs a {kind.lower()}: {', '.join(tasks)}")
        argv = [default, *argv]
    if argv[0] not in tasks:
        raise ValueError(f"unknown {kind.lower()} {argv[0]!r}: choose one of {', '.join(tasks)}")
    return importlib.import_module(f"hsmtss_jax.cli.{command}_{argv[0]}").main(argv[1:])


def _usage(command: str, kind: str, tasks: Mapping[str, str], default: str | None) -> str:
    name = f"[{kind}]" if default else kind
    lines = [f"usage: hsmtss {command} {name} [options]", "", f"{kind.lower()}s:"]
    lines += [f"  {task:<14}{text}" for task, text in tasks.items()]
    without = f"Without a {kind.lower()} it is {default}. " if default else ""
    lines += ["", f"{without}hsmtss {command} {kind} --help explains one."]
    return "\n".join(lines)
