"""How the decoder of tokens is conditioned on S: the paper leaves it open.

hsmtss sweep sweep_conditioning --size demo --base runs/demo
"""

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant

CONDITIONS = ("prefix", "aligned", "columns", "cross")


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep."""
    whole = recipe.get_config(size)
    return SweepConfig(
        variants={
            name: variant(
                whole, {"acoustic_decoder": (f"stage.model.condition={name}",)}, pipeline=()
            )
            for name in CONDITIONS
        }
    )
