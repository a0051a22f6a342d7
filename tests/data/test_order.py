"""Which clips are visited, and in what order."""

import dataclasses

from hsmtss_jax.data.order import mixture_order, training_order, visit
from hsmtss_jax.data.sources import ClipSource


def test_training_visits_every_clip_each_epoch(config):
    source = ClipSource(config.root, "train")
    order = training_order(source, dataclasses.replace(config, balance=0.0))
    visited = visit(order, "train", 3)
    for epoch in range(2):
        assert sorted(visited[24 * epoch + i] for i in range(24)) == list(range(24))
    assert [visited[i] for i in range(24)] != [visited[24 + i] for i in range(24)]


def test_a_pass_of_mixtures_goes_round_the_clips(config):
    source = ClipSource(config.root, "test")
    ((order, _),) = mixture_order(source, dataclasses.replace(config, eval_examples=12), "test")
    assert len(order) == 12 and order[8:] == order[:4] and sorted(order[:8]) == list(range(8))
