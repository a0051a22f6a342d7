"""Render musical instruments: random phrases with fluidsynth from free sound fonts."""

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile as sf

from corpus_build.midi import phrase, smf
from corpus_build.recordings import Meta
from corpus_build.waveform import SR, normalise, resample, slug, to_mono, trim, write

# split -> (package, file, licence); the fonts of the two splits share no samples
SOUNDFONTS = {
    "train": [
        (
            "musescore-general-soundfont-lossless",
            "usr/share/sounds/sf2/MuseScore_General_Full.sf2",
            "MIT",
        ),
        ("fluid-soundfont-gm", "usr/share/sounds/sf2/FluidR3_GM.sf2", "MIT"),
    ],
    "test": [("timgm6mb-soundfont", "usr/share/sounds/sf2/TimGM6mb.sf2", "GPL-2")],
}
PLURAL = ("timpani", "bagpipes", "tubular", "steel drums")

# label, General MIDI program (-1: drums), lowest and highest pitch, styles (m melody, s slow notes,
# a arpeggio, c chords, f fast, d drums), noun of the caption
INSTRUMENTS = [
    ("piano", 0, 36, 91, "macf", "a piano"),
    ("electric piano", 4, 40, 84, "mac", "an electric piano"),
    ("harpsichord", 6, 41, 84, "mac", "a harpsichord"),
    ("glockenspiel", 9, 72, 100, "maf", "a glockenspiel"),
    ("music box", 10, 60, 90, "ma", "a music box"),
    ("vibraphone", 11, 53, 86, "mac", "a vibraphone"),
    ("marimba", 12, 45, 90, "maf", "a marimba"),
    ("xylophone", 13, 65, 100, "maf", "a xylophone"),
    ("tubular bells", 14, 60, 77, "ms", "tubular bells"),
    ("dulcimer", 15, 48, 84, "maf", "a hammered dulcimer"),
    ("church organ", 19, 36, 84, "msc", "a church organ"),
    ("accordion", 21, 53, 88, "mc", "an accordion"),
    ("harmonica", 22, 60, 84, "msc", "a harmonica"),
    ("acoustic guitar", 24, 40, 76, "mac", "an acoustic guitar"),
    ("steel-string guitar", 25, 40, 76, "mac", "a steel-string guitar"),
    ("electric guitar", 27, 40, 76, "mac", "an electric guitar"),
    ("distorted electric guitar", 30, 40, 72, "mc", "a distorted electric guitar"),
    ("bass guitar", 33, 28, 55, "mf", "a bass guitar"),
    ("violin", 40, 55, 93, "msf", "a violin"),
    ("viola", 41, 48, 79, "ms", "a viola"),
    ("cello", 42, 36, 72, "ms", "a cello"),
    ("double bass", 43, 28, 55, "ms", "a double bass"),
    ("harp", 46, 36, 91, "mac", "a harp"),
    ("timpani", 47, 40, 57, "mf", "timpani"),
    ("string ensemble", 48, 40, 88, "msc", "a string section"),
    ("choir", 52, 48, 79, "msc", "a choir singing ooh"),
    ("trumpet", 56, 55, 82, "msf", "a trumpet"),
    ("trombone", 57, 40, 70, "ms", "a trombone"),
    ("tuba", 58, 28, 53, "ms", "a tuba"),
    ("french horn", 60, 41, 72, "ms", "a french horn"),
    ("brass section", 61, 48, 79, "mc", "a brass section"),
    ("saxophone", 65, 51, 80, "msf", "a saxophone"),
    ("tenor saxophone", 66, 44, 74, "msf", "a tenor saxophone"),
    ("oboe", 68, 58, 88, "ms", "an oboe"),
    ("bassoon", 70, 36, 67, "ms", "a bassoon"),
    ("clarinet", 71, 50, 86, "msf", "a clarinet"),
    ("piccolo", 72, 74, 100, "mf", "a piccolo"),
    ("flute", 73, 60, 93, "msf", "a flute"),
    ("recorder", 74, 62, 88, "mf", "a recorder"),
    ("pan flute", 75, 60, 86, "ms", "a pan flute"),
    ("sitar", 104, 48, 77, "ma", "a sitar"),
    ("banjo", 105, 48, 81, "af", "a banjo"),
    ("koto", 107, 55, 84, "ma", "a koto"),
    ("kalimba", 108, 55, 84, "ma", "a kalimba"),
    ("bagpipes", 109, 58, 78, "ms", "bagpipes"),
    ("steel drums", 114, 52, 84, "ma", "steel drums"),
    ("drum kit", -1, 0, 0, "d", "a drum kit"),
]

Job = tuple[str, str, str, tuple, str, float, int, str, str]


def render_instrument(job: Job) -> list[Meta]:
    """Render (font file, package, licence, instrument, split, seconds, seed, output, work) -> metadata."""
    font, package, licence, instrument, split, total, seed, out, work = job
    label, program, low, high, styles, noun = instrument
    rng = random.Random(f"{seed}/{split}/{package}/{label}")
    events, spans, t = [], [], 0.2
    while sum(b - a for a, b in spans) < total:
        seconds = rng.uniform(6.5, 9.0)
        events += phrase(rng, low, high, rng.choice(styles), seconds - 1.0, t)
        spans.append((t - 0.1, t + seconds))
        t += seconds + 2.0  # gap lets reverb and release die out
    midi = smf(events, program, 9 if program < 0 else 0)
    base = os.path.join(work, "midi", f"{split}-{package}-{slug(label)}")
    samples = _render(font, midi, base, reverb=rng.random() < 0.6)
    parts = [(k, _cut(samples, span)) for k, span in enumerate(spans)]
    row = {
        "label": label,
        "tags": f"music;musical instrument;{label}",
        "licence": licence,
        "package": package,
        "source": f"{os.path.basename(font)}:program {program}",
        "split": split,
        "kind": "rendered",
        "group": f"sf:{package}:{label}",
        "bandwidth_hz": "",
    }
    return [_write(row, noun, k, part, out) for k, part in parts if part is not None]


def _render(font: str, midi: bytes, base: str, *, reverb: bool) -> np.ndarray:
    os.makedirs(os.path.dirname(base), exist_ok=True)
    Path(base + ".mid").write_bytes(midi)
    options = ["-niq", "-g", "0.5", "-r", "44100", "-R", str(int(reverb)), "-C", "0"]
    options += ["-o", "synth.dynamic-sample-loading=1", "-o", "synth.cpu-cores=1"]
    command = ["fluidsynth", *options, "-T", "wav", "-F", base + ".wav", font, base + ".mid"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    samples, rate = sf.read(base + ".wav", dtype="float32", always_2d=True)
    os.remove(base + ".wav")
    return resample(to_mono(samples), rate)


def _cut(samples: np.ndarray, span: tuple[float, float]) -> np.ndarray | None:
    start, end = span
    part = samples[int(max(0, start) * SR) : int(end * SR)]
    silent = len(part) < SR or np.abs(part).max() < 1e-3
    return None if silent else normalise(trim(part))


def _write(row: Meta, noun: str, k: int, samples: np.ndarray, out: str) -> Meta:
    label, package = row["label"], row["package"]
    name = f"sf-{slug(package)[:12]}-{slug(label)}-{k:02d}"
    verb = "are" if noun.startswith(PLURAL) else "is"
    captions: Sequence[str] = (
        f"{noun} playing",
        f"{noun} {verb} being played",
        f"solo {label} music",
        noun,
    )
    return row | {
        "file": write(out, row["split"], label, name, samples),
        "seconds": round(len(samples) / SR, 3),
        "caption": captions[k % 4],
    }
