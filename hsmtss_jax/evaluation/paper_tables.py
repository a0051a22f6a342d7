"""The paper's Tables II to IV: its printed numbers beside ours, what we lack marked.

Its rows are of other test sets and of a larger model trained on other data, so no two rows compare two
systems; the table says what is printed and where we stand.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from hsmtss_jax.evaluation.scores import SYSTEM, PairScore, mean_cell
from hsmtss_jax.metrics.tables import Cell, Column, Row, Table

PaperTable = Literal["2", "3", "4"]
MISSING = "missing"

_KL, _LSD, _PSNR = Column("kl", "KL ↓"), Column("lsd", "LSD ↓"), Column("mel_psnr", "PSNR (dB) ↑")
_AFSIM, _CLAP = Column("afsim", "AFSim ↑", 3), Column("clap", "CLAP score ↑", 3)
_COLUMNS = {
    "2": (_KL, _LSD, _PSNR),
    "3": (_AFSIM, _CLAP),
    "4": (_KL, _LSD, _PSNR, _AFSIM, _CLAP),
}
_ROMAN = {"2": "II", "3": "III", "4": "IV"}
PRINTED = {  # test set -> KL, LSD, PSNR, AFSim, CLAP score of "Ours", extraction
    "3 Sets": (0.924, 2.848, 25.77, 0.752, 0.436),
    "Clotho": (1.089, 1.378, 24.05, 0.737, 0.393),
    "AudioCaps": (0.910, 1.884, 23.93, 0.767, 0.511),
    "FSD50K": (0.889, 4.156, 27.34, 0.729, 0.437),
    "MUSIC": (0.501, 1.375, 23.85, 0.811, 0.470),
}
_SETS = {"2": tuple(PRINTED)[:4], "3": tuple(PRINTED)[:4], "4": ("MUSIC",)}
_OURS = {  # the paper's column -> how ours begins: by the paper's own judge or not at all
    "kl": "kl_cnn14",
    "lsd": "lsd",
    "mel_psnr": "mel_psnr",
    "afsim": "afsim_",
    "clap": "clap_msclap",
}


def paper_table(which: PaperTable, scores: Sequence[PairScore]) -> Table:
    """Build Table II, III or IV, extraction: a row a test set of the paper, and one a mode of ours.

    A number of ours is there where it was made by the paper's metric and judge, else it is "missing"; an
    AFSim is by whichever model was given, whose name the other tables bear.
    """
    columns = _COLUMNS[which]
    keys = [column.key for column in _COLUMNS["4"]]
    rows = [
        Row(f"paper, {name}", _only(columns, dict(zip(keys, PRINTED[name], strict=True))))
        for name in _SETS[which]
    ]
    for mode in SYSTEM:
        found = [score for score in scores if score.route == mode and score.task == "extract"]
        if found:
            cells = {column.key: _ours(found, _OURS[column.key]) for column in columns}
            rows.append(Row(f"ours, this test set, mode {mode}", cells, mode))
    return Table(columns, rows, f"the paper's Table {_ROMAN[which]}, extraction")


def _only(columns: Sequence[Column], cells: Mapping[str, Any]) -> dict[str, Cell]:
    return {column.key: cells[column.key] for column in columns}


def _ours(scores: Sequence[PairScore], start: str) -> Cell:
    """Return the mean of the metric that ``start`` names: itself, or what follows a model's "_" or " "."""
    names = (
        name
        for name in scores[0].values
        if name == start or name.startswith(start if start.endswith("_") else f"{start} ")
    )
    name = next(names, None)
    return (mean_cell(scores, name) if name else None) or MISSING
