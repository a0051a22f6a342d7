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
      pipeline: how the bundles are put together; None: trainings are all there is.
    """

    stages: tuple[StageStep, ...]
    data: str = ""
    text_encoder: str = ""
    features: FeatureStep = dataclasses.field(default_factory=FeatureStep)
    pipeline: PipelineStep | None = dataclasses.field(default_factory=PipelineStep)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """Configure variants of a recipe: by name, what is trained anew. The rest is a finished recipe's."""

    variants: Mapping[str, RecipeConfig]


def variant(
    recipe: RecipeConfig,
    stages: Mapping[str, tuple[str, ...]],
    pipeline: tuple[str, ...] | None = None,
    upstream: Mapping[str, str] | None = None,
) -> RecipeConfig:
    """Return the part of a recipe that a variant trains anew.

    Args:
      recipe: the whole.
      stages: the configs to train, in order, with the overrides of each.
      pipeline: overrides of the pipeline; None: the recipe's.
      upstream: changes of who makes the bundle that a stage or the pipeline calls so.
    """
    known = {step.config: step for step in recipe.stages}
    changes = dict(upstream or {})
    chosen = []
    for name, overrides in stages.items():
        step = known.get(name, StageStep(config=name))
        chosen.append(
            dataclasses.replace(
                step, overrides=(*step.overrides, *overrides), upstream={**step.upstream, **changes}
            )
        )
    last = recipe.pipeline
    if last is not None:
        last = dataclasses.replace(
            last,
            overrides=last.overrides if pipeline is None else pipeline,
            upstream={**last.upstream, **changes},
        )
    return dataclasses.replace(recipe, stages=tuple(chosen), pipeline=last)
