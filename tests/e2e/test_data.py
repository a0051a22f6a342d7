"""From a folder of sounds to a trained separator: prepare, manifest, mixtures, both forms equal."""

import dataclasses
import json

import numpy as np
import soundfile

from hsmtss_jax.cli.main import main
from hsmtss_jax.config import load_config
from hsmtss_jax.stages import stage_class
from hsmtss_jax.testing.bundles import tiny_upstream
from hsmtss_jax.testing.corpus import LABELS, tone
from hsmtss_jax.train.loop import train

SAMPLES = 40_960


def write_sounds(folder):
    """Four sounds of every label, a folder each."""
    for number, label in enumerate(LABELS):
        (folder / label).mkdir(parents=True)
        for k in range(4):
            rng = np.random.default_rng((number, k))
            sound = 0.5 * tone(label, 16_000 + 9_000 * k, rng)
            soundfile.write(folder / label / f"{label} {k}.wav", sound, 16_000)


def losses(data, workdir):
    config = load_config("local_separator", "tiny")
    kind = stage_class("local_separator")
    run = dataclasses.replace(config.run, steps=3, log_every=1, eval_every=3, save_every=3)
    config = dataclasses.replace(config, data=data, run=run)
    stage = kind(config.stage, config.data, tiny_upstream(kind.upstream_names))
    outcome = train(config, stage, workdir, quiet=True)
    logged = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    told = [{k: v for k, v in row.items() if "loss" in k or k == "step"} for row in logged]
    return told, outcome.validation


def test_a_separator_sees_the_same_from_a_manifest_and_from_disk(tmp_path):
    clips, pairs, mixtures = (str(tmp_path / name) for name in ("clips", "pairs", "mixtures"))
    write_sounds(tmp_path / "sounds")
    assert main(["data", "prepare", "folder", str(tmp_path / "sounds"), "-o", clips]) == 0
    form = ["--size", "tiny", "--set", f"root={clips}"]
    counts = ["--samples", str(SAMPLES), "--train", "24", "--validation", "8"]
    assert main(["data", "manifest", pairs, *form, *counts]) == 0
    assert main(["data", "mixtures", pairs, mixtures, *form, "--per-file", "10"]) == 0
    common = dataclasses.replace(load_config("local_separator", "tiny").data, eval_examples=8)
    fly = dataclasses.replace(common, root=clips, manifest=pairs)
    disk = dataclasses.replace(common, root=mixtures)
    first, validation = losses(fly, tmp_path / "fly")
    second, again = losses(disk, tmp_path / "disk")
    assert first == second and validation == again
    assert len(first) >= 3 and all(np.isfinite(list(row.values())).all() for row in first)
