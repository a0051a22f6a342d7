"""The demo bundle's sound for one of the examples, as a small image.

``python -m tests.golden.demo`` records it anew: for a change of the sound that is meant and was measured.

Legend: L samples, T frames of 64 ms, M mel bands.
"""

from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

from hsmtss_jax.audio.mel import mel_filterbank
from hsmtss_jax.inference import Separator

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "demo.npz"
MODES = ("mask", "generate")
SENTENCE = "extract the speech"
SAMPLE_RATE, FRAME, BANDS = 16_000, 1024, 32


def read_example(name: str = "") -> np.ndarray:
    """Return the example's mixture, or with "_target" what is to be heard, float32 [L]."""
    path = ROOT / "examples" / f"speech_and_rain{name}.flac"
    return soundfile.read(path, dtype="float32")[0]


def separate_example(separator: Separator, mode: str, seed: int = 0) -> np.ndarray:
    """Return the sound [L] that the separator makes of the example."""
    audio = read_example()
    result = separator.separate(audio, SENTENCE, sample_rate=SAMPLE_RATE, mode=mode, seed=seed)
    return result.target[:, 0]


def log_mel(audio: np.ndarray) -> np.ndarray:
    """Compute the log-mel image [dB] of audio [L]: [T, M]."""
    filters = mel_filterbank(BANDS, FRAME, SAMPLE_RATE, 50.0, 8000.0)
    _, _, spectrum = signal.stft(audio, nperseg=FRAME, noverlap=0, boundary=None)
    return 10.0 * np.log10(np.abs(spectrum.T) ** 2 @ filters + 1e-10)


def main() -> None:
    """Record the images of today's sound."""
    separator = Separator.from_pretrained()
    images = {mode: log_mel(separate_example(separator, mode)) for mode in MODES}
    np.savez(GOLDEN, **{mode: image.astype(np.float16) for mode, image in images.items()})


if __name__ == "__main__":
    main()
