"""The paper's ablation of the task: extraction alone, removal alone, or both in one model.

hsmtss sweep sweep_task --size demo --base runs/demo
"""

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant

REMOVALS = {"extract": 0.0, "both": 0.5, "remove": 1.0}  # share of examples that ask for removal


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep; all are scored on both tasks."""
    whole = recipe.get_config(size)
    return SweepConfig(
        variants={
            name: variant(
                whole,
                dict.fromkeys(
                    ("global_separator", "local_separator", "joint_separator"),
                    (f"data.remove_probability={share}",),
                ),
                pipeline=(),
            )
            for name, share in REMOVALS.items()
        }
    )
