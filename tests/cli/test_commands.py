"""Every command: its help, its completion, and the options that mean the same everywhere."""

import importlib.util

import pytest

from hsmtss_jax.bundles.importers import KINDS
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.import_ import ImportOptions
from hsmtss_jax.cli.main import build_parser, main
from hsmtss_jax.cli.parser import CommandParser
from hsmtss_jax.option import choices


def commands(parser: CommandParser, name: str = "") -> dict[str, CommandParser]:
    """The parsers of all commands that run, by their names."""
    if isinstance(parser.fill(), Command):
        return {name.strip(): parser}
    found: dict[str, CommandParser] = {}
    for word, below in parser.below.items():
        found |= commands(below, f"{name} {word}")
    return found


COMMANDS = commands(build_parser())
FLAGS = {
    name: {flag: action for action in parser.arguments for flag in action.option_strings}
    for name, parser in COMMANDS.items()
}


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name, capsys):
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: hsmtss {name} ") and "example" in text


@pytest.mark.parametrize("flag", ["--ckpt", "--device", "--dtype", "--data", "--snr", "--beams"])
def test_shared_options_are_the_same_everywhere(flag):
    here = {
        name: flags for name, flags in FLAGS.items() if name != "plan"
    }  # its devices are not here
    actions = [flags[flag] for flags in here.values() if flag in flags]
    assert len(actions) > 1
    said = {(a.help.partition(" [")[0], str(a.choices), a.metavar) for a in actions}
    assert len(said) == 1  # defaults may differ


def test_what_loads_a_model_takes_a_bundle_and_a_device():
    for name, flags in FLAGS.items():
        assert ("--ckpt" in flags) <= ("--device" in flags), name


def test_kinds_of_weights():
    kinds = {*KINDS, "audiosep"}  # which is made of two checkpoints
    assert set(choices(ImportOptions.__annotations__["kind"])) == kinds


@pytest.mark.skipif(importlib.util.find_spec("shtab") is None, reason="needs shtab")
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shell, capsys):
    assert main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("separate", "--mask-from", "continued", "retrieval", "--no-silence-gate"):
        assert word in script
