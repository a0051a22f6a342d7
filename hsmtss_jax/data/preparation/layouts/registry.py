"""Find the layout of a set by its name."""

import importlib

from hsmtss_jax.data.preparation.item import Layout

NAMES = (
    *("audiocaps", "clotho", "fsd50k", "wavcaps", "audioset", "jamendo", "speech", "music"),
    *("vggsound", "hive", "esc50", "folder"),
)


def layout_of(name: str) -> Layout:
    """Return the layout of a set. Raises ValueError for another name."""
    if name not in NAMES:
        raise ValueError(f"no set {name!r}: choose one of {', '.join(NAMES)}")
    layout = importlib.import_module(f"hsmtss_jax.data.preparation.layouts.{name}").LAYOUT
    assert isinstance(layout, Layout)
    return layout
