import numpy as np
import pytest

from hsmtss_jax.data.drawn_mixtures import mixtures_of
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.evaluation.global_features import clips_by_label, clips_by_tag, global_features
from hsmtss_jax.instructions import Instruction


def test_true_and_predicted_g_of_the_same_targets(runtime, examples):
    found = global_features(runtime, examples)
    assert found.true.shape == found.predicted.shape and len(found.true) == 3
    assert found.labels == [example.label_target for example in examples]
    first = examples[0]
    target, mixture = (
        runtime.encode_audio(x[None, : first.length]) for x in (first.target, first.mixture)
    )
    np.testing.assert_allclose(found.true[0], target.g[0, 0], atol=1e-6)
    query = runtime.encode_text([Instruction("extract", first.recipe.caption_target)])
    np.testing.assert_allclose(
        found.predicted[0], runtime.predict(mixture, query).g[0, 0], atol=1e-6
    )
    removed = global_features(runtime, examples, task="remove")
    assert not np.allclose(removed.predicted, found.predicted)
    with pytest.raises(ValueError, match="no mixture"):
        global_features(runtime, [])


def test_clips_are_chosen_by_label_or_tag(mixtures):
    clips = ClipSource(mixtures.root, "train").clips
    by_label = clips_by_label(clips, 2)
    assert len(by_label) == 2 and all(len(found) == 3 for found in by_label.values())
    by_tag = clips_by_tag(clips, ["tone", "machine"])
    assert {clips[i].label for i in by_tag["tone"]} == {"low tone", "high tone"}
    with pytest.raises(ValueError, match="no clip carries the tag 'fish'"):
        clips_by_tag(clips, ["tone", "fish"])


def test_a_mixture_depends_on_seed_and_target_alone(mixtures):
    first = list(mixtures_of(mixtures, "train", 5, [3, 8], samples=8_000))
    again = next(mixtures_of(mixtures, "train", 5, [8], samples=8_000))
    np.testing.assert_array_equal(first[1].mixture, again.mixture)
    other = next(mixtures_of(mixtures, "train", 6, [8], samples=8_000))
    assert other.recipe.target == again.recipe.target and other.recipe != again.recipe
