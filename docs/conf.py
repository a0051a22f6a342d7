"""Sphinx configuration: Markdown pages by MyST, API pages from the docstrings."""

import dataclasses
import re
from typing import Any

from hsmtss_jax import __version__
from hsmtss_jax.inference import options

project = "hsmtss_jax"
author = "hsmtss_jax contributors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature has them
autodoc_default_options = {"members": True, "exclude-members": "replace"}
napoleon_numpy_docstring = False
smartquotes = False

html_theme = "furo"
html_title = "hsmtss_jax"
html_copy_source = False

SOURCE = "https://github.com/hsmtss-jax/hsmtss_jax/blob/main/"


def setup(app: Any) -> None:
    """Connect the hooks."""
    app.connect("source-read", _link_page)
    app.connect("include-read", _link_included)
    app.connect("autodoc-process-docstring", _escape, priority=400)  # before napoleon


def _link_page(app: Any, name: str, source: list[str]) -> None:
    """Point links of a page to files outside docs/ to the repository; write the tables of options."""
    source[0] = re.sub(r"\]\((?:\.\./)+", f"]({SOURCE}", source[0])
    source[0] = re.sub(r"<!-- options of (\w+) -->", _table, source[0])


def _table(place: re.Match[str]) -> str:
    """Return the fields of a dataclass of options as a table, from where they are declared."""
    rows = ["| field | default | |", "|---|---|---|"]
    for field in dataclasses.fields(getattr(options, place[1])):
        default = field.metadata["default_help"] or f"`{field.default!r}`"
        rows.append(f"| `{field.name}` | {default} | {field.metadata['help']} |")
    return "\n".join(rows)


def _link_included(app: Any, path: Any, name: str, content: list[str]) -> None:
    """Do the same in a file from the root of the repository, whose links to docs/ stay."""
    content[0] = re.sub(r"\]\((?!docs/|https?:|#)", f"]({SOURCE}", content[0])


def _escape(app: Any, kind: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep |x| and x * y of docstrings from being read as markup, outside ``literals``."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith(">>>"):
            parts = re.split(r"(``.*?``)", line)
            parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)
