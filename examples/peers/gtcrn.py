"""Run GTCRN (X. Rong, MIT; 48,000 parameters, 16 kHz) on a mixture: a peer for queries for speech.

It knows no words: it keeps speech and takes away the rest. Its network is one file of the repository
Xiaobin-Rong/gtcrn, stream/onnx_models/gtcrn_simple.onnx, and needs ``pip install onnxruntime``.

``hsmtss benchmark run pairs.csv --command 'gtcrn=python examples/peers/gtcrn.py gtcrn_simple.onnx {mixture}
{out}'`` makes a row of it.
"""

import argparse
from typing import Any

import numpy as np
import soundfile
from scipy import signal

RATE, FFT, HOP = 16_000, 512, 256
CACHES = {
    "conv_cache": (2, 1, 16, 16, 33),
    "tra_cache": (2, 3, 1, 1, 16),
    "inter_cache": (2, 1, 33, 16),
}


def enhance(session: Any, mixture: np.ndarray) -> np.ndarray:
    """Keep the speech of mono sound at 16 kHz: float32 [L] -> [L], frame by frame.

    session: of onnxruntime, or what runs like one.
    """
    window = np.sqrt(signal.windows.hann(FFT, sym=False))
    padded = np.pad(mixture, (FFT // 2, FFT), mode="constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP] * window
    spectra = np.fft.rfft(frames)  # [T, 257]
    caches = {name: np.zeros(shape, np.float32) for name, shape in CACHES.items()}
    out = np.zeros(len(padded))
    for number, spectrum in enumerate(spectra):
        parts = np.stack([spectrum.real, spectrum.imag], axis=-1).astype(np.float32)
        made, *kept = session.run(None, {"mix": parts[None, :, None], **caches})
        caches = dict(zip(caches, kept, strict=True))
        piece = np.fft.irfft(made[0, :, 0, 0] + 1j * made[0, :, 0, 1]) * window
        out[number * HOP : number * HOP + FFT] += piece
    return out[FFT // 2 : FFT // 2 + len(mixture)].astype(np.float32)


def main() -> None:
    """Read the mixture, write the speech."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("network", help="gtcrn_simple.onnx")
    parser.add_argument("mixture", help="WAV at 16 kHz")
    parser.add_argument("out", help="WAV to write")
    given = parser.parse_args()
    mixture, rate = soundfile.read(given.mixture, dtype="float32", always_2d=True)
    if rate != RATE:
        parser.error(
            f"{given.mixture} has {rate} Hz, GTCRN knows {RATE}: run the benchmark at its rate"
        )
    import onnxruntime

    session = onnxruntime.InferenceSession(given.network, providers=["CPUExecutionProvider"])
    soundfile.write(given.out, enhance(session, mixture.mean(axis=1)), RATE, subtype="FLOAT")


if __name__ == "__main__":
    main()
