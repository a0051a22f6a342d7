"""Describe a recipe: the stages in their order, the bundles that they hand on, their shares of time."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageStep:
    """Configure the training of one stage.

    Attributes:
      config: name of the stage's config.
      share: of a time budget, relative to the others'.
      upstream: the stage's name for a bundle -> the step that makes it, where these names differ.
      overrides: of the config.
    """

    config: str
    share: float = 1.0
    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)
    overrides: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureStep:
    """Configure the mixtures whose features are computed once; 0 of them: none are.

    root: what the configs call the data set that this step writes.
    """

    train: int = 0
    validation: int = 512
    samples: int = 40_960  # of a window, at 16 kHz
    root: str = ""
    share: float = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineStep:
    """Configure the pipeline at the end, and the pairs that it is scored on.

    upstream: role -> the step that makes it, where the names differ.
    """

    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    pairs: int = 250
    options: tuple[str, ...] = ()  # of hsmtss evaluate separation
    share: float = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """Configure a whole training, from recordings to a scored pipeline.

    Attributes:
      stages: in an order in which each finds its upstream.
      data: the data set of mixtures, which the pipeline is scored on too; "" is made of synthetic sounds.
      text_encoder: the bundle to begin with; "demo": the shipped one's, "random": random weights, "": must
        be given.
      features: of mixtures, computed behind audio_mae.
      pipeline: how the bundles are put together.
    """

    stages: tuple[StageStep, ...]
    data: str = ""
    text_encoder: str = ""
    features: FeatureStep = dataclasses.field(default_factory=FeatureStep)
    pipeline: PipelineStep = dataclasses.field(default_factory=PipelineStep)
