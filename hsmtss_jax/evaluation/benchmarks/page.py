"""A report as one HTML page that needs nothing else: tables, curves, and clips to hear and to see.

Sounds and pictures are inside it, as data; a limit keeps it small enough to be sent. L samples.
"""

import base64
import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from hsmtss_jax.evaluation.benchmarks.choice import RANKS, Chosen
from hsmtss_jax.evaluation.benchmarks.curves import draw_curves
from hsmtss_jax.evaluation.scores import ROUTES, PairScore
from hsmtss_jax.metrics.tables import Column, Report, Table

MEGABYTE = 1_000_000
HEADINGS = {"worst": "The worst", "median": "About the median", "best": "The best"}
STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 88rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86em; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
tbody tr:hover { background: var(--quiet); }
.wide { overflow-x: auto; margin: .6rem 0 1.4rem; }
.clip { border-top: 2px solid var(--line); padding: .4rem 0 1rem; }
.sounds { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; }
figure { margin: 0; }
figcaption { font-size: .86em; }
figure img { width: 100%; height: 8rem; image-rendering: auto; background: #000; display: block; }
audio { width: 100%; height: 2.2rem; }
.note { opacity: .75; font-size: .9em; }
pre { overflow-x: auto; font-size: .8em; }
"""
SCRIPT = """
document.addEventListener("play", event => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);
"""


@dataclasses.dataclass(frozen=True)
class Sound:
    """Hold a sound of a clip, ready for a page. route: its row; audio, picture: data, "" for none.

    values: metric -> number. note: what a listener must know.
    """

    route: str
    values: Mapping[str, float]
    audio: str = ""
    picture: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Clip:
    """Hold a chosen pair. name, text: of the pair and of what is asked; seconds: its length, 0 if unknown."""

    chosen: Chosen
    name: str
    text: str
    seconds: float
    top_hz: float
    sounds: Sequence[Sound]


@dataclasses.dataclass(frozen=True)
class Page:
    """Hold a page's HTML. clips: how many it shows; left_out: how many the limit did not let in."""

    html: str
    clips: int
    left_out: int


def data_uri(kind: str, content: bytes) -> str:
    """Return content of a media type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def render_page(
    title: str,
    report: Report,
    scores: Sequence[PairScore],
    clips: Iterable[Clip],
    *,
    route: str,
    metric: str,
    limit: float = 20.0,
    classes: Table | None = None,
) -> Page:
    """Render a report with its clips.

    Args:
      title: of the page.
      report: its tables, notes and how it was made.
      scores: what the curves are drawn of.
      clips: made one at a time, in the order of their importance; none is made beyond the limit.
      route: that the clips were chosen by.
      metric: that they were chosen by, too.
      limit: of the page's size [MB]; clips that do not fit are left out, and the page says so.
      classes: the metric by description, if any.
    """
    columns = _columns(report)
    head = _head(title, report, scores, columns.get(metric, Column(metric, metric)))
    if classes:
        head += (
            f"<details><summary>{escape(classes.title)}</summary>{table_html(classes)}</details>"
        )
    made: list[tuple[Clip, str]] = []
    left_out, size = 0, len(head)
    for clip in clips:
        html = _clip(clip, columns)
        if left_out or size + len(html) > limit * MEGABYTE:
            left_out += 1
            continue
        size += len(html)
        made.append((clip, html))
    body = _clips(made, _label(route), columns.get(metric, Column(metric, metric)).title)
    if left_out:
        body += f"<p class=note>{left_out} more clips do not fit into {limit:g} MB.</p>"
    return Page(f"{head}{body}{_foot(report)}", len(made), left_out)


def table_html(table: Table) -> str:
    """Return a table as HTML; a column without any cell is left out."""
    used = [c for c in table.columns if any(row.cells.get(c.key) is not None for row in table.rows)]
    head = _cells("th", [table.corner, *(column.title for column in used)])
    rows = (
        _cells("td", [row.name, *(column.write(row.cells.get(column.key)) for column in used)])
        for row in table.rows
    )
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    return (
        f"{title}<div class=wide><table><thead>{head}</thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _columns(report: Report) -> dict[str, Column]:
    return {column.key: column for table in report.tables for column in table.columns}


def _label(route: str) -> str:
    return ROUTES.get(route, route)


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts) + "</tr>"


def _head(title: str, report: Report, scores: Sequence[PairScore], column: Column) -> str:
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in report.notes)
    tables = "".join(table_html(table) for table in report.tables)
    curves = draw_curves(scores, column.key)
    return (
        "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>{notes}<h2>Tables</h2>{tables}"
        f"<h2>{escape(column.title)}, pair by pair</h2>{curves}"
    )


def _foot(report: Report) -> str:
    about = escape(json.dumps(dict(report.about), indent=1, ensure_ascii=False, default=str))
    return (
        f"<h2>How it was made</h2><details><summary>options and digests</summary><pre>{about}</pre>"
        f"</details><script>{SCRIPT}</script></body></html>\n"
    )


def _clips(made: Sequence[tuple[Clip, str]], route: str, metric: str) -> str:
    if not made:
        return ""
    said = (
        f"Chosen by the {metric.strip(' ↑↓')} of: {route}. By numbers alone, so that every report of these "
        "scores shows the same ones; spectrograms of a clip have one scale."
    )
    parts = [f"<h2>Clips</h2><p class=note>{escape(said)}</p>"]
    for rank in RANKS:
        found = [html for clip, html in made if clip.chosen.rank == rank]
        parts += [f"<h3>{HEADINGS[rank]}</h3>", *found] if found else []
    return "".join(parts)


def _clip(clip: Clip, columns: Mapping[str, Column]) -> str:
    used = [
        c for c in columns.values() if any(_known(sound.values.get(c.key)) for sound in clip.sounds)
    ]
    rows = "".join(
        _cells("td", [_label(s.route), *(_number(c, s.values.get(c.key)) for c in used)])
        for s in clip.sounds
    )
    head = _cells("th", ["", *(column.title for column in used)])
    where = f"pair {clip.name}, {clip.seconds:.3g} s" if clip.seconds else f"pair {clip.name}"
    figures = "".join(_figure(sound, clip) for sound in clip.sounds if sound.audio)
    return (
        f"<section class=clip><h4>{escape(clip.chosen.task)}: “{escape(clip.text)}”</h4>"
        f"<p class=note>{escape(where)}</p><div class=sounds>{figures}</div>"
        f"<div class=wide><table><thead>{head}</thead><tbody>{rows}</tbody></table></div></section>"
    )


def _figure(sound: Sound, clip: Clip) -> str:
    label = escape(_label(sound.route))
    shown = f"spectrogram of {label}, 0 to {clip.top_hz / 1000:g} kHz, {clip.seconds:.3g} s"
    note = f" <span class=note>{escape(sound.note)}</span>" if sound.note else ""
    return (
        f"<figure><img src='{sound.picture}' alt='{shown}' title='{shown}'>"
        f"<audio controls preload=none src='{sound.audio}'></audio>"
        f"<figcaption>{label}{note}</figcaption></figure>"
    )


def _known(value: float | None) -> bool:
    return value is not None and not np.isnan(value)


def _number(column: Column, value: float | None) -> str:
    if value is None or not _known(value):
        return "-"
    return column.write(value).replace("inf", "∞")
