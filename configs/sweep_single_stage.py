"""The paper's ablation "Ours single": one separator in place of the two, no global stage.

hsmtss sweep sweep_single_stage --size demo --base runs/demo
"""

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep: the two stages with the codec, and the single one."""
    whole = recipe.get_config(size)
    return SweepConfig(
        variants={
            "two_stages": variant(whole, {}, pipeline=()),
            "single_stage": variant(
                whole, {"single_stage": ()}, pipeline=("separator=single_stage",)
            ),
        }
    )
