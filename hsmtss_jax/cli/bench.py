"""``hsmtss bench``: how fast a part runs on this machine, a subcommand a part."""

from hsmtss_jax.cli import subtasks

PARTS = {
    "separation": "the whole system, from a recording to the separated sound",
    "audio_mae": "the encoder and the pre-training step",
    "decoder": "sampling of the acoustic decoder",
}


def main(argv: list[str]) -> int:
    """Run the named benchmark; errors of input are raised as ValueError or OSError."""
    return subtasks.run("bench", "PART", PARTS, argv)
