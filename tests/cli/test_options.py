"""Command lines made from dataclasses: flags, defaults in the help, ranges, headings, and back."""

import argparse
import dataclasses
from pathlib import Path
from typing import Literal

import pytest

from hsmtss_jax.cli.options import add_options, argument, flat, part, read_options
from hsmtss_jax.option import option
from hsmtss_jax.task import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    """A part."""

    share: float = option(0.25, "of it", low=0, high=1, metavar="SHARE")
    gate: bool = option(True, "close it")
    count: int = option(3, "how many", low=1, group="numbers")
    hidden: int = option(7, "not on the command line")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    """All kinds of options."""

    items: tuple[str, ...] = argument("what there is", metavar="ITEM", default=())
    prompt: tuple[str, ...] = option((), "texts", short="-p", repeat=True, metavar="TEXT")
    rates: tuple[float, ...] = option((0.1, 1e-4), "100 % of the rates", low=0, above=True)
    span: tuple[float, float] = option((-15.0, 15.0), "from and to")
    mode: Literal["a", "b"] = option("a", "which one")
    modes: tuple[Literal["a", "b"], ...] = option(("a",), "which ones")
    task: Task | None = option(None, "what to do")
    output: Path | None = option(None, "where to", short="-o", default_help="nowhere")
    top_k: int | None = option(None, "codes", flag="--top", low=0)
    figure: bool | None = option(None, "draw")
    inner: Inner = part(Inner, "inner things", without=("hidden",))


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="x", allow_abbrev=False)
    add_options(parser, Outer)
    return parser


def read(parser, *words: str) -> Outer:
    return read_options(parser.parse_intermixed_args(words), Outer)


def test_nothing_given_is_the_declared_defaults(parser):
    assert read(parser) == Outer()


def test_an_argument_that_may_be_absent():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Options:
        folder: Path | None = argument("which one", default=None)

    parser = argparse.ArgumentParser(prog="x")
    add_options(parser, Options)
    assert read_options(parser.parse_args([]), Options) == Options()
    assert read_options(parser.parse_args(["a"]), Options) == Options(folder=Path("a"))


def test_everything_given(parser):
    words = "one -p x two -p y --rates 1 2 --span -3 4 --mode b --modes b a --task remove -o d/e "
    words += "--top 0 --no-figure --share 1 --no-gate --count 9 three"
    assert read(parser, *words.split()) == Outer(
        items=("one", "two", "three"),
        prompt=("x", "y"),
        rates=(1.0, 2.0),
        span=(-3.0, 4.0),
        mode="b",
        modes=("b", "a"),
        task=Task.REMOVE,
        output=Path("d/e"),
        top_k=0,
        figure=False,
        inner=Inner(share=1.0, gate=False, count=9),
    )
    assert read(parser, "--task=extract").task is Task.EXTRACT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--share 2", "--share: must be at least 0 and at most 1, got 2"),
        ("--share nan", "--share: must be at least 0"),
        ("--share much", "'much' is not a number"),
        ("--count 0", "--count: must be at least 1, got 0"),
        ("--count 1.5", "'1.5' is not a whole number"),
        ("--count 99999999999", "must be below 2^31"),
        ("--rates 1 0", "--rates: must be above 0, got 0"),
        ("--mode c", "choose from"),
        ("--modes a c", "choose from"),
        ("--task sing", "choose from"),
        ("--hidden 3", "unrecognized arguments: --hidden"),
        ("--span 3", "expected 2 arguments"),
    ],
)
def test_what_is_wrong_is_said(parser, words, said, capsys):
    with pytest.raises(SystemExit):
        read(parser, *words.split())
    assert said in capsys.readouterr().err


def test_the_help_shows_defaults_from_the_fields(parser):
    text = " ".join(parser.format_help().split())
    assert "100 % of the rates [0.1 0.0001]" in text and "from and to [-15 15]" in text
    assert "which one [a]" in text and "where to [nowhere]" in text and "close it [on]" in text
    assert "inner things:" in text and "numbers:" in text and "codes [" not in text
    assert "--hidden" not in text


def test_a_required_option():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Needs:
        output: Path = option(dataclasses.MISSING, "where to", short="-o")

    parser = argparse.ArgumentParser(exit_on_error=False)
    add_options(parser, Needs)
    assert read_options(parser.parse_args(["-o", "x"]), Needs) == Needs(output=Path("x"))
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parser.parse_args([])


def test_flat_is_plain():
    found = flat(Outer(output=Path("x"), inner=Inner(share=0.5)))
    assert found["output"] == "x" and found["share"] == 0.5 and found["hidden"] == 7
    assert "inner" not in found
