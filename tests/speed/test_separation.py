"""The benchmark of the whole system: what it counts, and random pipelines of the configs' sizes."""

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.pipeline import ROLES
from hsmtss_jax.cli.main import main
from hsmtss_jax.inference import Separator
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.speed import separation
from hsmtss_jax.testing.bundles import random_pipeline, tiny_upstream
from tests.cli.conftest import FAKE, CommandRuntime


def test_rows_are_consistent():
    separator = Separator(CommandRuntime(batch=2))
    (row,) = separation.benchmark(separator, [6.0], repeats=1, options={"mode": "generate"})
    assert row.warm.report.windows == 3 and row.warm.report.samples == 6 * separation.RATE
    assert row.frames == 3 * 129 * 2, "the residual is generated as well"
    assert 0 < row.warm.first < row.warm.total and row.peak > 2**20
    assert sum(row.shares.values()) == pytest.approx(1.0) and row.shares["waveform"] > 0
    assert row.real_time_factor == row.warm.total / 6
    speed, shares = (table.to_markdown() for table in separation.tables([row, row]))
    assert speed.count("\n| 6 |") == 2 and shares.count("\n| 6 |") == 2
    assert f"| {row.real_time_factor:.3f} |" in speed and "| waveform (%) |" in shares


def test_a_mask_decoder_has_no_rate_of_tokens():
    separator = Separator(CommandRuntime(batch=2, decodes_masks=True))
    (row,) = separation.benchmark(separator, [1.0], repeats=1, options={})
    assert row.frames_per_second is None and row.shares["mask"] > 0
    assert "token frames/s" not in separation.tables([row])[0].to_markdown()


def test_random_pipelines_have_the_sizes_of_the_configs():
    pipeline = random_pipeline("tiny")
    assert set(pipeline.bundles) == set(ROLES)
    for role, bundle in tiny_upstream(["text_encoder", "audio_mae", "tf_codec"]).items():
        ours = pipeline.bundles[role]
        assert role == "text_encoder" or ours.config == bundle.config
        shapes = [jax.tree.map(np.shape, each.params) for each in (ours, bundle)]
        assert shapes[0] == shapes[1]
    ids, mask = Tokenizer.from_bundle(pipeline.bundles["text_encoder"])(["a dog"], 8)
    assert ids.max() < pipeline.bundles["text_encoder"].config["model"]["vocab"] and mask.sum() == 6


def test_the_command_prints_tables(capsys):
    assert main(["speed", "separation", "--seconds", "0.5", "--repeats", "1"], FAKE) == 0
    assert "| 0.5 |" in capsys.readouterr().out
    for wrong in (["--repeats", "0"], ["--size", "tiny", "--ckpt", "x"], ["--sizes"]):
        assert main(["speed", "separation", *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 3
