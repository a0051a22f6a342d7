"""``hsmtss benchmark list``: what is published."""

import dataclasses

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkListOptions:
    """Declare the command line of ``hsmtss benchmark list``: none."""


def run(options: BenchmarkListOptions, context: Context) -> int:
    """Print every list."""
    from hsmtss_jax.evaluation.benchmarks.published import PUBLISHED

    for each in PUBLISHED.values():
        forms = [name for name, form in (("mix", each.convert), ("--ready", each.ready)) if form]
        print(f"{each.name} ({', '.join(forms)})")
        for what in ("file", "recordings", "numbers"):
            print(f"  {what + ':':12}{getattr(each, what)}")
    return 0


COMMAND = Command(
    description="Print the published lists of pairs that hsmtss benchmark make reads: the list's file, the "
    "recordings it needs, the published numbers. mix: mixtures are made from recordings; --ready: from "
    "the authors' files.",
    epilog="example: hsmtss benchmark list",
    options=BenchmarkListOptions,
    run=run,
)
