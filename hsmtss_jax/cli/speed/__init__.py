"""``hsmtss speed``: how fast a part runs on this machine, a command a part."""

from hsmtss_jax.cli.command import Group

__all__ = ["GROUP"]

GROUP = Group(
    package=__name__,
    kind="part",
    commands={
        "separation": "the whole system, from a recording to the separated sound",
        "audio_mae": "the encoder and the pre-training step",
        "decoder": "sampling of the acoustic decoder",
        "mask_separator": "AudioSep's network, or the mask baseline",
        "codec": "TF-Codec's encode and decode, and its training step",
        "data": "the data pipeline alone, against the bare reading of its records",
    },
    description="Time a part of the system on this machine.",
)
