"""Make odd command lines of ``hsmtss separate``: sentences, and values of every option."""

import dataclasses
import string
import typing

import numpy as np

from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.cli.separate.options import PlaceOptions, ReportOptions, RequestOptions
from hsmtss_jax.inference.options import RuntimeOptions, SeparateOptions
from hsmtss_jax.option import choices

KINDS = (
    RequestOptions,
    PlaceOptions,
    OutputOptions,
    SeparateOptions,
    RuntimeOptions,
    ReportOptions,
)
LEFT_OUT = {  # would ask the network, or draw, or stand elsewhere in the line
    *("parser", "parser_model", "parser_url", "prompt", "figure", "target", "residual", "output"),
}
NUMBERS = (
    "0",
    "-1",
    "1",
    "0.5",
    "2",
    "1e308",
    "nan",
    "inf",
    "-inf",
    "x",
    "",
    "1:00",
    "0:00.1",
    "99999999999",
)
NAMES = (
    "out.wav",
    "out.flac",
    "out.mp3",
    "out.ogg",
    "out.m4a",
    "out.xyz",
    "out",
    "a/b/out.wav",
    "-",
    "ö ü.wav",
)
WORDS = (
    *(
        "dog",
        "the rain",
        "a man speaks as birds sing",
        "Hintergrundgeräusch",
        "雨の音",
        "🐕",
        "звук",
    ),
    *("\u202eabc", "\0"[:0], "'; drop table", "$(ls)", "`ls`", "%s %d {}", "\\n", "\t\t", "a\nb"),
    *(
        "between 2 and 4 seconds",
        "from 0:00 to 0:01",
        "by 6 dB",
        "a little",
        "by -900 dB",
        "x" * 5_000,
    ),
    *(
        "café\u0301",
        "NULL",
        "true",
        "[]",
        '{"task": 1}',
        "--help me",
        "..",
        "/etc/passwd",
        "1e9 dB",
    ),
)
VERBS = (
    *(
        "remove",
        "extract",
        "keep only",
        "get rid of",
        "don't remove",
        "Extract:",
        "Remove the sound of",
    ),
    *(
        "entferne",
        "supprime",
        "elimina",
        "去除",
        "",
        "REMOVE!!",
        "what does",
        "please, please",
        "-",
    ),
)
JOINTS = (" ", " and ", ", but not ", ": ", "; ", " minus ", "  ", "\n", " without ")


def odd_sentence(rng: np.random.Generator) -> str:
    """Draw a sentence."""
    if rng.random() < 0.15:
        letters = rng.choice(list(string.printable), int(rng.integers(0, 60)))
        return "".join(letters.tolist()).replace("\0", "")
    parts = [str(rng.choice(VERBS))]
    pools = [WORDS if rng.random() < 0.7 else VERBS for _ in range(int(rng.integers(0, 4)))]
    parts += [str(rng.choice(pool)) for pool in pools]
    sentence = parts[0]
    for part in parts[1:]:
        sentence += str(rng.choice(JOINTS)) + part
    return sentence


def odd_options(rng: np.random.Generator) -> list[str]:
    """Draw values for some options, in their range or beside it."""
    words: list[str] = []
    for kind in KINDS:
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if field.name in LEFT_OUT or rng.random() > 0.05:
                continue
            words += _given(rng, field, hints[field.name])
    if rng.random() < 0.02:
        words.append(str(rng.choice(["--nonsense", "--mod", "-z", "--", "-q=1", "--seed"])))
    return words


def odd_output(rng: np.random.Generator) -> str:
    """Draw a name below the working folder."""
    return str(rng.choice(NAMES)) if rng.random() < 0.5 else "out.wav"


def _given(rng: np.random.Generator, field: dataclasses.Field, hint: object) -> list[str]:
    flag = field.metadata["flag"] or f"--{field.name.replace('_', '-')}"
    if hint is bool:
        return [flag if rng.random() < 0.8 else f"--no-{flag[2:]}"]
    known = choices(hint)
    if known:
        return [flag, str(rng.choice(known)) if rng.random() < 0.95 else "nonsense"]
    if field.name == "json":
        return [flag, str(rng.choice(["report.jsonl", "-", "absent/report.jsonl", "."]))]
    if field.name == "filename":
        return [
            flag,
            str(rng.choice(["{track}", "{stem}.wav", "{x}", "{", "../{track}", "{prompt}/{stem}"])),
        ]
    if field.metadata["low"] is None and field.name in ("span", "amount"):
        return [
            flag,
            str(rng.choice(["0:00-0:01", "0.1-0.2", "5-1", "half", "6 dB", "100%", "-3", "x"])),
        ]
    if field.name == "best_of":  # more would be drawn as asked
        return [flag, str(rng.choice(["1", "2", "0", "-1", "x"]))]
    return [flag, str(rng.choice(NUMBERS))]
