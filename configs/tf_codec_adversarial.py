"""TF-Codec, second phase: against the mel discriminator, from the first phase's weights.

python train.py configs/tf_codec_adversarial.py --size demo --workdir runs/tf_codec_adversarial

It starts from ``upstream.initial_codec``: the bundle of configs/tf_codec.py, or one of imported weights
(hsmtss import tf_codec), as HSM-TSS fine-tunes the public speech model on general audio.
"""

import dataclasses
from pathlib import Path

from hsmtss_jax.config import ExperimentConfig, OptimConfig, load_config
from hsmtss_jax.models.tf_codec.discriminator import DiscriminatorConfig

UPSTREAM = {"initial_codec": "runs/tf_codec/bundle"}
PAPER_JUDGE = DiscriminatorConfig()
DEMO_JUDGE = DiscriminatorConfig(hops=(64, 128, 256), hidden=(64, 64, 64))
TINY_JUDGE = DiscriminatorConfig(hops=(64, 128), hidden=(32, 32))


def get_config(size: str = "paper") -> ExperimentConfig:
    """size: paper (six scales, 5.3 M parameters of discriminator) | demo (two CPU cores) | tiny (seconds)."""
    steps, judge = {
        "paper": (314_000, PAPER_JUDGE),
        "demo": (300, DEMO_JUDGE),
        "tiny": (20, TINY_JUDGE),
    }[size]
    first = load_config(Path(__file__).with_name("tf_codec.py"), size)
    return dataclasses.replace(
        first,
        stage=dataclasses.replace(first.stage, adversarial_start=0, discriminator=judge),  # type: ignore[call-arg]
        optim={"generator": _adam(3e-5), "discriminator": _adam(3e-4)},
        run=dataclasses.replace(first.run, steps=steps),
        upstream=UPSTREAM,
    )


def _adam(lr: float) -> OptimConfig:
    """The reference project's, at a constant rate."""
    return OptimConfig(
        lr=lr,
        b1=0.9,
        b2=0.999,
        weight_decay=0.0,
        warmup_steps=0,
        schedule="constant",
        clip_per_tensor=True,
    )
