"""``hsmtss doctor``: what this machine and a checkpoint have, need and lack."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import HEADING, WINDOWS, ModelOptions
from hsmtss_jax.cli.options import argument, part
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.cli.doctor.finding import Finding

__all__ = ["COMMAND"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """Declare the command line of ``hsmtss doctor``."""

    run: Path | None = argument("workdir of a training run, to be examined instead", default=None)
    json: bool = option(False, "print the report as JSON")
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)


def run(options: DoctorOptions, context: Context) -> int:
    """Run the command: status 1 when something would keep the checkpoint, or the run, from running."""
    findings = _examine(options)
    healthy = all(finding.status != "bad" for finding in findings)
    if options.json:
        document = {"healthy": healthy, "findings": [finding.as_dict() for finding in findings]}
        print(json.dumps(document, indent=1))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            print(f"{finding.status:<5}{finding.name:<{width}}  {finding.text}")
    return 0 if healthy else 1


def _examine(options: DoctorOptions) -> "list[Finding]":
    if options.run is not None:
        from hsmtss_jax.cli.doctor.run import examine_run

        return examine_run(options.run)
    from hsmtss_jax.cli.doctor.checkpoint import examine_checkpoint
    from hsmtss_jax.cli.doctor.machine import examine_machine, host_memory

    findings = examine_machine()
    _, free = host_memory()
    return findings + examine_checkpoint(options.model, free)


COMMAND = Command(
    description="Look at devices, versions, the compilation cache, optional extras and a checkpoint, and "
    "compute the memory that the checkpoint needs before it is run. The exit status is 1 when something "
    "would keep it from running. Given the workdir of a training run, verify its checkpoints instead.",
    epilog="examples: hsmtss doctor --ckpt runs/pipeline --batch 4; hsmtss doctor runs/local_separator",
    options=DoctorOptions,
    run=run,
)
