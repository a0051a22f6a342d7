"""Declare the options that the measurements of networks share."""

import dataclasses

from hsmtss_jax.config import Size
from hsmtss_jax.option import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpeedOptions:
    """Declare which network is measured, and how long."""

    size: Size = option("paper", "of the network")
    repeats: int = option(5, "timed calls, the median counts", low=1)
    peer: bool = option(False, "the same in PyTorch, in turns")
