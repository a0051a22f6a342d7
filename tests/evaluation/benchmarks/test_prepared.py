"""Mixtures of a prepared set as files: the pairs of an evaluation, sample by sample."""

import numpy as np

from hsmtss_jax.cli.main import main
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, make_pairs
from hsmtss_jax.evaluation.benchmarks.pair_list import read_pair_list
from hsmtss_jax.evaluation.benchmarks.prepared import write_mixtures
from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.task import TASKS


def test_they_are_the_pairs_of_an_evaluation(examples, tmp_path):
    groups = {examples[0].recipe.target: "tape 1"}
    assert write_mixtures(examples, tmp_path, groups) == 3
    rows = read_pair_list(tmp_path / "pairs.csv")
    pairs = make_pairs(rows, Recordings(tmp_path), range(3), TASKS)
    for index, (pair, example) in enumerate(zip(pairs, examples, strict=True)):
        expected = pair_of(index, example, groups.get(example.recipe.target, ""))
        np.testing.assert_array_equal(pair.mixture, expected.mixture)
        np.testing.assert_array_equal(pair.target, expected.target)
        assert pair.instructions == expected.instructions
    assert rows[0].group == "tape 1"


def test_from_the_command_line(mixtures, tmp_path, capsys):
    words = ["benchmark", "files", f"--data={mixtures.root}", "--count=2", "--seconds=0.5"]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    assert "pairs.csv: 2 pairs" in capsys.readouterr().out
    assert len(read_pair_list(tmp_path / "out" / "pairs.csv")) == 2
    clips = ClipSource(mixtures.root, "test").clips
    label = clips[0].label
    assert main([*words, f"--label={label}", "-o", str(tmp_path / "one")]) == 0
    texts = {row.text for row in read_pair_list(tmp_path / "one" / "pairs.csv")}
    known = {text for clip in clips if clip.label == label for text in clip.captions}
    assert texts and texts <= known
    assert main([*words, "--label=fun", "-o", str(tmp_path / "two")]) == 2
    assert "no clip with the label 'fun'" in capsys.readouterr().err
