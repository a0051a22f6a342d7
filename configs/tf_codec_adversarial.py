"""TF-Codec, second phase: against the mel discriminator, from the first phase's weights.

python train.py configs/tf_codec_adversarial.py --size demo --workdir runs/tf_codec_adversarial

It starts from ``upstream.initial_codec``, which says the codec's sizes: the bundle of configs/tf_codec.py,
or one of imported weights (hsmtss import tf_codec), as HSM-TSS fine-tunes the public speech model on
general audio.
"""

import dataclasses

from hsmtss_jax.config import ExperimentConfig
from hsmtss_jax.configs import common, tf_codec
from hsmtss_jax.models.tf_codec.discriminator import DiscriminatorConfig

UPSTREAM = {"initial_codec": "runs/tf_codec/bundle"}
PAPER_JUDGE = DiscriminatorConfig()
BASE_JUDGE = DiscriminatorConfig(hops=(64, 128, 256, 512), hidden=(64, 128, 128, 128))
DEMO_JUDGE = DiscriminatorConfig(hops=(64, 128, 256), hidden=(64, 64, 64))
TINY_JUDGE = DiscriminatorConfig(hops=(64, 128), hidden=(32, 32))


def get_config(size: str = "paper") -> ExperimentConfig:
    """Build the experiment.

    size: paper (six scales, 5.3 M parameters of discriminator) | base (an accelerator)
    | demo (two CPU cores) | tiny (seconds).
    """
    steps, judge = {
        "paper": (314_000, PAPER_JUDGE),
        "base": (1_500, BASE_JUDGE),
        "demo": (300, DEMO_JUDGE),
        "tiny": (20, TINY_JUDGE),
    }[size]
    first = tf_codec.get_config(size)
    return dataclasses.replace(
        first,
        stage=dataclasses.replace(  # type: ignore[call-arg]
            first.stage, model=None, adversarial_start=0, discriminator=judge
        ),
        optim={"generator": common.codec_adam(3e-5), "discriminator": common.codec_adam(3e-4)},
        run=dataclasses.replace(first.run, steps=steps),
        upstream=UPSTREAM,
    )
