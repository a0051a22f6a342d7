"""The paper's ablation of the text encoder: everything behind it is trained anew.

hsmtss sweep sweep_text_encoder --size demo --base runs/demo --text-encoder runs/flan_t5/bundle

One text encoder a run: give it, and a --workdir of its own; the recipe itself is the other one.
"""

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep: one variant, on the text encoder that is given."""
    stages = ("q_audio", "global_separator", "local_separator", "joint_separator")
    whole = recipe.get_config(size)
    return SweepConfig(
        variants={"another_text_encoder": variant(whole, dict.fromkeys(stages, ()), pipeline=())}
    )
