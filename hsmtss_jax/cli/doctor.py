"""``hsmtss doctor``: what this machine and a checkpoint have, need and lack."""

import argparse
import json

from hsmtss_jax.cli.messages import CommandParser


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss doctor",
        description="Looks at devices, versions, the compilation cache, optional extras and a "
        "checkpoint, and computes the memory that the checkpoint needs before it is run. The exit "
        "status is 1 when something would keep it from running.",
    )
    add = parser.add_argument
    add("--ckpt", metavar="BUNDLE", help="folder or hub id of a pipeline [the demo bundle]")
    add("--device", metavar="NAME", help="cpu, gpu, tpu, gpu:1 [the fastest there is]")
    add("--dtype", choices=("auto", "float32", "bfloat16"), default="auto", help="[auto]")
    add("--batch", type=int, metavar="N", help="sounds made at once [16]")
    add("--json", action="store_true", help="print the report as JSON")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if args.batch is not None and args.batch < 1:
        raise ValueError(f"--batch must be at least 1, got {args.batch}")
    from hsmtss_jax.cli import doctor_checkpoint, doctor_machine

    findings = doctor_machine.examine()
    findings += doctor_checkpoint.examine(args.ckpt, args.dtype, args.device, args.batch)
    healthy = all(finding.status != "bad" for finding in findings)
    if args.json:
        document = {"healthy": healthy, "findings": [finding.as_dict() for finding in findings]}
        print(json.dumps(document, indent=1))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            print(f"{finding.status:<5}{finding.name:<{width}}  {finding.text}")
    return 0 if healthy else 1
