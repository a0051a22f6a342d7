"""Read the sounds to adapt to: records to train on, and recordings held out to be scored on."""

import dataclasses
import zlib
from collections.abc import Iterator
from pathlib import Path

from hsmtss_jax.data.preparation.clips import ClipForm
from hsmtss_jax.data.preparation.item import Item, Layout, Place
from hsmtss_jax.data.preparation.layouts import folder
from hsmtss_jax.data.preparation.prepare import Preparation, prepare
from hsmtss_jax.data.preparation.report import Report

HELD_OUT = "validation"
FEWEST = 2  # recordings to train on, and to hold out


def prepare_sounds(root: Path, table: Path | None, out: Path, share: float) -> Report:
    """Write the clips of a folder, or of a table of it, as a data set with a held-out split.

    Args:
      root: the folder; captions are in a table or in the names of files and folders.
      table: CSV of captions, or None; see ``data.preparation.layouts.folder``.
      out: the data set to write.
      share: of the recordings to hold out, where the folder does not say which.

    Raises ValueError for fewer than two recordings on either side; OSError when the folder or the table is
    missing.
    """
    items = divided(list(folder.read(Place(root=root, table=table))), share)
    for split in ("train", HELD_OUT):
        found = len({item.group for item in items if item.split == split and item.found})
        if found < FEWEST:
            raise ValueError(
                f"{root} has too few recordings {_use(split)}, {found} of at least {FEWEST}: "
                "put more files into it, ten are a good start"
            )
    layout = Layout(
        name=folder.LAYOUT.name,
        title=f"Sounds of {root.name}.",
        read=lambda place: iter(items),
        licence=folder.LAYOUT.licence,
    )
    form = ClipForm(long="pieces")
    return prepare(Preparation(layout=layout, place=Place(root=root), out=out, form=form))


def divided(items: list[Item], share: float) -> list[Item]:
    """Return items of two splits, train and held out: as the folder says, else drawn by recording.

    Which recordings are drawn depends on their names alone, so a folder that grows keeps those it had.
    """
    told = any(item.split != folder.own_split(item.id) for item in items)
    if told:
        held = {item.group for item in items if item.split != "train"}
    else:
        held = set(_drawn({item.group for item in items}, share))
    return [
        dataclasses.replace(item, split=HELD_OUT if item.group in held else "train")
        for item in items
    ]


def _drawn(groups: set[str], share: float) -> Iterator[str]:
    count = max(FEWEST, round(share * len(groups)))
    ordered = sorted(groups, key=lambda name: (zlib.crc32(name.encode()), name))
    yield from ordered[:count]


def _use(split: str) -> str:
    return "to train on" if split == "train" else "to hold out"
