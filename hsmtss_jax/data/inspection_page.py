"""A page of what an inspection found, with players; one file that needs nothing else."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soundfile

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.data.mixing import MixtureExample
from hsmtss_jax.task import TASKS

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0 0 1.5rem; } td, th { padding: .15rem .8rem .15rem 0; }
th { text-align: left; font-weight: 600; vertical-align: top; } audio { width: 15rem; height: 2rem; }
"""


def render_page(title: str, report: Mapping[str, Any], examples: Sequence[MixtureExample]) -> str:
    """Return the page as HTML.

    Args:
      title: of the page.
      report: sections by heading, each a mapping or a list.
      examples: mixtures to hear.
    """
    body = [f"<h1>{html.escape(title)}</h1>"]
    for heading, section in report.items():
        body += [f"<h2>{html.escape(heading)}</h2>", _section(section)]
    if examples:
        body += ["<h2>Mixtures</h2>", _players(examples)]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style><body>{''.join(body)}</body></html>\n"
    )


def _section(section: Any) -> str:
    if isinstance(section, Mapping):
        rows = (
            f"<tr><th>{html.escape(str(k))}</th><td>{_cell(v)}</td>" for k, v in section.items()
        )
        return f"<table>{''.join(rows)}</table>"
    return f"<p>{_cell(section)}</p>"


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{html.escape(str(k))}: {_cell(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "<br>".join(_cell(each) for each in value) or "none"
    return html.escape(str(value))


def _players(examples: Sequence[MixtureExample]) -> str:
    rows = ["<tr><th>instruction</th><th>mixture</th><th>target</th><th>rest</th><th>SNR</th></tr>"]
    for each in examples:
        words = f"{TASKS[each.recipe.task].value}: {each.recipe.text}"
        told = html.escape(words) + ("" if each.present else " (absent)")
        sounds = (each.mixture, each.target, each.other)
        cells = "".join(f"<td>{_player(sound)}</td>" for sound in sounds)
        rows.append(f"<tr><td>{told}</td>{cells}<td>{each.snr:.1f} dB</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def _player(sound: np.ndarray) -> str:
    data = io.BytesIO()
    soundfile.write(data, np.clip(sound, -1.0, 1.0), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    coded = base64.b64encode(data.getvalue()).decode()
    return f'<audio controls preload="none" src="data:audio/flac;base64,{coded}"></audio>'
