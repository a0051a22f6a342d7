"""The paper's ablation of the codec: with and without its second phase, and at other rates.

hsmtss sweep sweep_codec --size demo --base runs/demo
"""

from hsmtss_jax.configs.tf_codec import get_config as tf_codec

from hsmtss_jax.configs import recipe
from hsmtss_jax.recipes.recipe import SweepConfig, variant


def get_config(size: str = "paper") -> SweepConfig:
    """Build the sweep: the decoder of tokens is trained for each codec."""
    whole = recipe.get_config(size)
    model = tf_codec(size).stage.model  # type: ignore[attr-defined]
    rates = {"half": model.groups // 2, "whole": model.groups}
    trained = ("tf_codec_adversarial", "acoustic_decoder")
    first_phase = {"tf_codec": "tf_codec"}
    return SweepConfig(
        variants={
            "first_phase": variant(whole, {"acoustic_decoder": ()}, (), first_phase),
            **{
                f"{name}_rate": variant(
                    whole,
                    {"tf_codec": (f"stage.model.groups={groups}",), **dict.fromkeys(trained, ())},
                    pipeline=(),
                )
                for name, groups in rates.items()
            },
        }
    )
