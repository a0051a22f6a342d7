"""Anything that makes an estimate of a pair's target: ours, others', and what frames them.

A route is called with a pair and a seed and returns a sound for each of the pair's instructions, of the
pair's length and rate. Nothing else is asked of it.

Legend: L samples.
"""

import dataclasses
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy import signal

from hsmtss_jax.audio.constants import SAMPLE_RATE
from hsmtss_jax.audio.io import read_audio, resample, to_mono, write_audio
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.evaluation.pairs import Pair
from hsmtss_jax.inference.options import Failed, SeparateOptions
from hsmtss_jax.inference.runtime import Runtime
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.instructions import Instruction

FLOAT = OutputOptions(bit_depth="float", clip_mode="none")  # what other programs are given
MASK_WINDOW, MASK_HOPS = 0.064, 4  # of the ideal ratio mask: [s], and hops a window


class Route(Protocol):
    """Make estimates of a pair's target."""

    @property
    def name(self) -> str:
        """Return the name of its row."""

    def __call__(self, pair: Pair, seed: int) -> Sequence[np.ndarray]:
        """Return a sound [L] for each instruction; one that ignores them returns the same object."""


class Mixture:
    """Do nothing: give the mixture as it is."""

    name = "mixture"

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Return the mixture."""
        return [pair.mixture] * len(pair.instructions)


class Target:
    """Give the truth: what a metric says of perfection, and a judge of the real sound."""

    name = "target"

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Return the target."""
        return [pair.target] * len(pair.instructions)


class IdealRatioMask:
    """Apply the best mask of magnitudes: |target|^2 / (|target|^2 + |rest|^2) on the mixture."""

    name = "ideal_mask"

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Mask the mixture with knowledge of the target."""
        mask = ideal_ratio_mask(pair.mixture, pair.target, pair.sample_rate)
        return [mask] * len(pair.instructions)


class CodecResynthesis:
    """Pass the target through the codec alone: the ceiling of what it makes."""

    name = "codec"

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Encode and decode the target."""
        target = pair.at(self._runtime.sample_rate).target
        tokens = self._runtime.encode_tokens(target[None])
        sound = self._runtime.decode_tokens(tokens, len(target), gate=False)[0]
        sound = resample(np.asarray(sound), self._runtime.sample_rate, pair.sample_rate)
        return [fit(sound, len(pair.target))] * len(pair.instructions)


class SeparatorMode:
    """Separate with a loaded separator in one mode, as it ships."""

    def __init__(self, separator: Separator, options: SeparateOptions, name: str = "") -> None:
        """name: of the row [the mode]."""
        self.name = name or str(options.mode)
        self._separator, self._options = separator, options

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Separate the mixture by each instruction."""
        options = dataclasses.replace(self._options, seed=seed, residual=False)
        return separate_pair(self._separator, pair, options)


class SoundFolder:
    """Read sounds made elsewhere: NAME.wav, or NAME.TASK.wav where a pair is asked in both ways.

    Raises FileNotFoundError when the folder is not there.
    """

    def __init__(self, folder: str | Path, name: str = "") -> None:
        """name: of the row [the folder's]."""
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise FileNotFoundError(f"no folder of sounds at {folder}: correct the path")
        self.name = name or self._folder.resolve().name
        self._files = {file.stem: file for file in sorted(self._folder.iterdir()) if file.is_file()}

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Read the estimates. Raises FileNotFoundError for one that is not there."""
        return [self._read(pair, instruction) for instruction in pair.instructions]

    def _read(self, pair: Pair, instruction: Instruction) -> np.ndarray:
        names = (f"{pair.name}.{instruction.task}", pair.name)
        file = next((self._files[name] for name in names if name in self._files), None)
        if file is None:
            raise FileNotFoundError(
                f"{self._folder} has no sound of the pair {pair.name}: it is to be called {pair.name}.wav"
            )
        return read_sound(file, len(pair.target), pair.sample_rate)


class ShellCommand:
    """Run another program, ``prog {mixture} {text} {out}``, once an instruction.

    {mixture} is a WAV that is there, {out} the one to write, {text} the description of what to extract;
    {task} says extract or remove, {seed} a number. Words are quoted where they are filled in. Raises
    ValueError when {mixture} or {out} is missing.
    """

    def __init__(self, template: str, name: str = "", timeout: float = 600.0) -> None:
        """name: of the row [the program's]. timeout: of one run [s]."""
        self._words = shlex.split(template)
        if not self._words or any(f"{{{field}}}" not in template for field in ("mixture", "out")):
            raise ValueError(
                f"the command {template!r} must hold {{mixture}} and {{out}}: "
                "prog {mixture} {text} {out}"
            )
        self.name = name or Path(self._words[0]).stem
        self._timeout = timeout

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Run the program. Raises ValueError when it fails or writes nothing."""
        with tempfile.TemporaryDirectory() as folder:
            mixture, out = Path(folder) / "mixture.wav", Path(folder) / "estimate.wav"
            write_audio(mixture, pair.mixture, pair.sample_rate, FLOAT)
            return list(self._runs(pair, seed, mixture, out))

    def _runs(self, pair: Pair, seed: int, mixture: Path, out: Path) -> Iterator[np.ndarray]:
        for instruction in pair.instructions:
            out.unlink(missing_ok=True)
            fields = {
                "mixture": mixture,
                "out": out,
                "text": instruction.description,
                "task": instruction.task,
                "seed": seed,
            }
            self._run([_filled(word, fields) for word in self._words])
            if not out.is_file():
                raise ValueError(f"{self.name} ended well but wrote no {{out}}: check the command")
            yield read_sound(out, len(pair.target), pair.sample_rate)

    def _run(self, words: list[str]) -> None:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=self._timeout)
        except FileNotFoundError as error:
            raise ValueError(f"no program {words[0]}: check the command") from error
        except subprocess.TimeoutExpired as error:
            raise ValueError(f"{self.name} took more than {self._timeout:g} s") from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise ValueError(f"{self.name} failed ({done.returncode}): {''.join(said)}")


@dataclasses.dataclass(frozen=True)
class Function:
    """Call a function of (mixture float32 [L], instruction, sample_rate) for a sound [L']."""

    name: str
    separate: Callable[[np.ndarray, Instruction, int], np.ndarray]

    def __call__(self, pair: Pair, seed: int) -> list[np.ndarray]:
        """Call it for each instruction."""
        return [self._estimate(pair, each) for each in pair.instructions]

    def _estimate(self, pair: Pair, instruction: Instruction) -> np.ndarray:
        found = np.asarray(self.separate(pair.mixture, instruction, pair.sample_rate))
        if found.ndim != 1:
            raise ValueError(f"{self.name} gave an array of shape {found.shape}: it must be [L]")
        return fit(found, len(pair.target))


def separate_pair(separator: Separator, pair: Pair, options: SeparateOptions) -> list[np.ndarray]:
    """Separate a pair's mixture by each of its instructions: one sound [L] each."""
    found = separator.separate_many(
        [pair.mixture], pair.instructions, sample_rate=pair.sample_rate, options=options
    )
    results = next(iter(found))  # none has failed: errors are raised
    return [result.target[:, 0] for result in results if not isinstance(result, Failed)]


def ideal_ratio_mask(
    mixture: np.ndarray, target: np.ndarray, sample_rate: int = SAMPLE_RATE
) -> np.ndarray:
    """Multiply the mixture's spectrum by the target's share of the energy: [L] x 2 -> float32 [L]."""
    hop = round(MASK_WINDOW * sample_rate / MASK_HOPS)
    window = MASK_HOPS * hop
    setup = {"fs": sample_rate, "nperseg": window, "noverlap": window - hop}
    spectra = [signal.stft(x, **setup)[2] for x in (mixture, target, mixture - target)]
    energy, rest = (np.abs(z) ** 2 for z in spectra[1:])
    mask = energy / np.maximum(energy + rest, 1e-20)
    return fit(signal.istft(spectra[0] * mask, **setup)[1], len(mixture))


def read_sound(path: Path, samples: int, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read a file as mono, float32 of ``samples``: a longer one is cut, a shorter one padded."""
    sound = read_audio(path)
    return fit(resample(to_mono(sound.samples), sound.sample_rate, sample_rate), samples)


def fit(sound: np.ndarray, samples: int) -> np.ndarray:
    """Cut or zero-pad a sound [L'] -> float32 [samples]."""
    cut = np.asarray(sound, np.float32)[:samples]
    return np.pad(cut, (0, samples - len(cut)))


def _filled(word: str, fields: dict[str, object]) -> str:
    for name, value in fields.items():
        word = word.replace(f"{{{name}}}", str(value))
    return word
