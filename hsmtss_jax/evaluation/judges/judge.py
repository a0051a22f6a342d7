"""What a judge is, and how one is named on a command line.

Legend: n sounds, L samples, C classes.
"""

from pathlib import Path
from typing import Protocol

import numpy as np

from hsmtss_jax.models.judges.judgement import Judgement


class Judge(Protocol):
    """Tag sounds at 16 kHz."""

    @property
    def name(self) -> str:
        """Return what stands in a heading: "KL (YAMNet)"."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the C classes; empty where the weights come without."""

    @property
    def digest(self) -> str:
        """Return the sum that names the weights."""

    def __call__(self, audio: np.ndarray) -> Judgement:
        """Tag sounds [n, L] -> logits [n, C] and embeddings [n, D], numpy."""


def make_judge(which: str) -> Judge:
    """Return the judge "yamnet", or that of a bundle's folder (hsmtss import panns).

    Raises OSError or ValueError with one line: a package or bundle is missing, or is of no judge.
    """
    if which == "yamnet":
        from hsmtss_jax.evaluation.judges.yamnet import YAMNetJudge

        return YAMNetJudge()
    if not Path(which).exists():
        raise FileNotFoundError(
            f"no judge {which}: give yamnet, or the folder of a bundle from hsmtss import panns"
        )
    from hsmtss_jax.bundles.bundle import load_bundle
    from hsmtss_jax.evaluation.judges.cnn14 import Cnn14Judge

    return Cnn14Judge(load_bundle(which))
