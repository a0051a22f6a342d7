"""Declare the models of others that a report asks, and load them."""

import dataclasses
from typing import TYPE_CHECKING

from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.evaluation.scorers import Scorer


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """Declare which judges are asked; each column bears its judge's name."""

    judge: tuple[str, ...] = option(
        (),
        "taggers for KL, FAD and KAD: yamnet, or a bundle of import panns",
        metavar="JUDGE",
        default_help="none",
    )
    clap: tuple[str, ...] = option(
        (),
        "for CLAP score and CLAP-A: msclap, or a ClapModel of transformers",
        metavar="MODEL",
        default_help="none",
    )
    afsim: tuple[str, ...] = option(
        (),
        "audio language models of transformers for AFSim",
        metavar="MODEL",
        default_help="none",
    )
    log_wmse: bool = option(False, "logWMSE, which is defined for silent targets")


def load_judges(options: JudgeOptions) -> "list[Scorer]":
    """Load the judges. Raises OSError or ValueError for one that is missing, in one line."""
    from hsmtss_jax.audio.constants import SAMPLE_RATE
    from hsmtss_jax.evaluation.judges import make_judge
    from hsmtss_jax.evaluation.judges.audio_language import AudioLanguageModel
    from hsmtss_jax.evaluation.judges.clap import make_clap
    from hsmtss_jax.evaluation.scorers import ClapScore, Divergence, Likeness, LogWMSE

    return [
        *(Divergence(make_judge(which)) for which in options.judge),
        *(ClapScore(make_clap(which)) for which in options.clap),
        *(Likeness(AudioLanguageModel.load(which), "AFSim") for which in options.afsim),
        *([LogWMSE(SAMPLE_RATE)] if options.log_wmse else []),
    ]
