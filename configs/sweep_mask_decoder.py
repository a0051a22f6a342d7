"""Does the hierarchy pay? The mask decoder without S_hat, without G_hat, and with the target's own.

hsmtss sweep sweep_mask_decoder --size demo --base runs/demo
"""

import dataclasses

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant

VARIANTS = {
    "whole": (),
    "without_local": ("stage.model.use_local=false",),
    "without_global": ("stage.model.use_global=false",),
    "words_alone": ("stage.model.use_local=false", "stage.model.use_global=false"),
    "truth": (
        "stage.truth=true",
    ),  # a ceiling, by its validation: no pipeline has the target's own
}


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep."""
    whole = recipe.get_config(size)
    # A ceiling, by its validation alone: no pipeline has the target's own features.
    ceiling = variant(whole, {"mask_decoder": ("stage.truth=true",)})
    return SweepConfig(
        variants={
            name: variant(whole, {"mask_decoder": overrides})
            for name, overrides in VARIANTS.items()
        }
        | {"truth": dataclasses.replace(ceiling, pipeline=None)}
    )
