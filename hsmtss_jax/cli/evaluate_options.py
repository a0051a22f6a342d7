"""Options that the tasks of ``hsmtss evaluate`` share: which bundles, and where the report goes."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsmtss_jax.atomic import write_text

if TYPE_CHECKING:
    from hsmtss_jax.bundles.bundle import Bundle


def add_bundles(parser: argparse.ArgumentParser, roles: Sequence[str]) -> None:
    """--ckpt, and an option a role for a stage bundle of its own."""
    parser.add_argument("--ckpt", help="folder of a pipeline bundle [the demo bundle]")
    for role in roles:
        option = f"--{role.replace('_', '-')}"
        help_text = f"{role} bundle [the pipeline's, if it holds one]"
        parser.add_argument(option, metavar="FOLDER", help=help_text)


def load_bundles(args: argparse.Namespace, roles: Sequence[str]) -> "dict[str, Bundle]":
    """Role -> bundle: the one given for it, else the pipeline's.

    Raises OSError or ValueError for a bundle that is missing or damaged.
    """
    from hsmtss_jax.bundles.bundle import load_bundle
    from hsmtss_jax.bundles.hub import demo_bundle
    from hsmtss_jax.bundles.pipeline import load_pipeline

    given = {role: getattr(args, role) for role in roles if getattr(args, role)}
    bundles = {role: load_bundle(folder) for role, folder in given.items()}
    for role, bundle in bundles.items():
        if bundle.stage != role:
            raise ValueError(f"{given[role]} is a bundle of {bundle.stage}, not of {role}")
    rest = [role for role in roles if role not in given]
    if args.ckpt and not rest:
        raise ValueError("--ckpt is of no use beside a bundle for every role: leave one out")
    if rest:
        bundles |= load_pipeline(args.ckpt or demo_bundle(), rest).bundles
    return bundles


def add_output(parser: argparse.ArgumentParser) -> None:
    """--output."""
    parser.add_argument("-o", "--output", help="JSON to write; a Markdown table goes beside it")


def check_output(args: argparse.Namespace) -> None:
    """Makes the folder of the report: an unwritable place is found before the work, not after it."""
    if not args.output:
        return
    path = Path(args.output)
    if path.is_dir() or path.suffix == ".md":
        raise ValueError(f"--output {path} is to be a JSON file: give a name like report.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} cannot be written to: choose another --output")


def write_report(args: argparse.Namespace, table: str, document: Mapping[str, Any]) -> None:
    """Prints the table and, where asked for, writes JSON and Markdown."""
    print(table)
    if args.output:
        path = Path(args.output)
        write_text(path, json.dumps(document, indent=1) + "\n")
        write_text(path.with_suffix(".md"), table)


def at_least_one(args: argparse.Namespace, *names: str) -> None:
    """Raises ValueError for an option below 1."""
    for name in names:
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
