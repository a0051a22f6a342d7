"""The paper's ablation of P_gt: how often the local separator is given the target's own G while tuned.

hsmtss sweep sweep_p_gt --size demo --base runs/demo
"""

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant

PROBABILITIES = (0.0, 0.1, 0.3, 0.5, 1.0)


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep; HSM-TSS section III-E takes 0.1."""
    whole = recipe.get_config(size)
    return SweepConfig(
        variants={
            f"p_gt={p}": variant(
                whole,
                {"joint_separator": (f"stage.target_probability={p}",)},
                pipeline=(),
            )
            for p in PROBABILITIES
        }
    )
