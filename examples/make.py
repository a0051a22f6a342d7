"""Make the example mixtures from the test split of the opensounds corpus (see README.md here).

python examples/make.py --data corpora/opensounds
"""

import argparse
from pathlib import Path

import numpy as np

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.audio.level import mix_at_snr
from hsmtss_jax.data.sources import ClipSource

RATE = 16000
SECONDS = 5.0
EXAMPLES = {  # name: (target, other, SNR in dB)
    "speech_and_rain": ("asterisk-core-sounds-6e2624e1-00", "0ad-data-cc375549-04", 3.0),
    "music_and_waves": ("0ad-data-54b7ff61-03", "0ad-data-829391db-01", 3.0),
    "fire_and_footsteps": (
        "0ad-data-0a56fcbc",
        "composite-footsteps-on-gravel-minetest-data-000",
        0.0,
    ),
}


def main() -> None:
    """Write NAME.flac (the mixture) and NAME_target.flac (what is left when the other is removed)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="corpora/opensounds", help="the prepared corpus")
    parser.add_argument("--out", default=Path(__file__).parent, type=Path)
    args = parser.parse_args()
    source = ClipSource(args.data, "test")
    index = {clip.id.split("/")[-1].removesuffix(".opus"): i for i, clip in enumerate(source.clips)}
    for name, (target, other, snr) in EXAMPLES.items():
        a, b = (_window(source.audio(index[key])) for key in (target, other))
        mixed = mix_at_snr(a, b, snr)
        write_audio(args.out / f"{name}.flac", mixed.mixture, RATE)
        write_audio(args.out / f"{name}_target.flac", mixed.target, RATE)


def _window(audio: np.ndarray) -> np.ndarray:
    """The first SECONDS, padded with silence."""
    samples = int(SECONDS * RATE)
    return np.pad(audio[:samples], (0, max(0, samples - len(audio))))


if __name__ == "__main__":
    main()
