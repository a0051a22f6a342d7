"""``hsmtss benchmark list``: what is published."""

import dataclasses

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkListOptions:
    """Declare the command line of ``hsmtss benchmark list``: none."""


def run(options: BenchmarkListOptions, context: Context) -> int:
    """Print every list."""
    from hsmtss_jax.evaluation.benchmarks.drawn import PAPER_SETS
    from hsmtss_jax.evaluation.benchmarks.published import PUBLISHED
    from hsmtss_jax.evaluation.paper_tables import PRINTED

    for each in PUBLISHED.values():
        forms = [name for name, form in (("mix", each.convert), ("--ready", each.ready)) if form]
        print(f"{each.name} ({', '.join(forms)})")
        for what in ("file", "recordings", "numbers"):
            print(f"  {what + ':':12}{getattr(each, what)}")
    for name, drawn in PAPER_SETS.items():
        kl, lsd, psnr, afsim, clap = PRINTED[drawn.title]
        length = f"{drawn.seconds:g} s" if drawn.seconds else "the target's length"
        print(f"{name} (draw)")
        print(
            f"  recordings: {', '.join(drawn.sets)} as downloaded; {drawn.pairs} pairs of {length}"
        )
        print(
            f"  numbers:    HSM-TSS, on its own pairs: KL {kl}, LSD {lsd}, PSNR {psnr}, AFSim {afsim}, "
            f"CLAP {clap}"
        )
    return 0


COMMAND = Command(
    description="Print the published lists of pairs that hsmtss benchmark make reads: the list's file, the "
    "recordings it needs, the published numbers. mix: mixtures are made from recordings; --ready: from "
    "the authors' files. draw: hsmtss benchmark draw makes pairs of the kind of the paper's Table I.",
    epilog="example: hsmtss benchmark list",
    options=BenchmarkListOptions,
    run=run,
)
