"""The sizes in a bundle's config become networks that its weights fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.bundles.networks import (
    read_codec,
    read_encoders,
    read_networks,
    read_separators,
    task_table,
)
from hsmtss_jax.bundles.pipeline import ROLES
from hsmtss_jax.models.hsm_tss import encode_query, generate, separate
from hsmtss_jax.models.text.tokenizer import Tokenizer
from hsmtss_jax.sampling.policies import Policy
from hsmtss_jax.task import TASKS
from hsmtss_jax.testing.bundles import tiny_upstream
from tests.models.system import IDS, MASK, SAMPLES, TASK


def bundles_with(separator: str = "joint_separator"):
    return tiny_upstream([separator if role == "joint_separator" else role for role in ROLES])


@pytest.mark.parametrize("separator", ["joint_separator", "single_stage"])
def test_every_stage_s_bundle_is_read_and_its_weights_fit(separator):
    """A separation and its sound under ``eval_shape``: nothing is computed."""
    bundles = bundles_with(separator)
    networks = read_networks(bundles)

    def whole(params, audio):
        mixture = networks.encoders.encode(params, audio)
        query = encode_query(networks, params, jnp.asarray(IDS), jnp.asarray(MASK), TASK)
        target = separate(networks, params, mixture, query)
        seeds = jnp.zeros(2, jnp.uint32)
        return target, generate(networks, params, target.s, seeds, Policy(), samples=SAMPLES)

    params = {role: bundle.params for role, bundle in bundles.items()}
    audio = jax.ShapeDtypeStruct((2, SAMPLES), jnp.float32)
    target, sound = jax.eval_shape(whole, params, audio)
    assert target.s.shape == (2, networks.decoder.patches, networks.decoder.audio_width)
    assert sound.shape == (2, SAMPLES) and networks.two_stage == (separator == "joint_separator")


def test_networks_compute_in_the_asked_type():
    networks = read_networks(bundles_with(), jnp.bfloat16)
    assert networks.encoders.dtype == networks.separators.dtype == jnp.bfloat16
    assert read_codec(tiny_upstream(["tf_codec"])["tf_codec"]).dtype == jnp.float32


def test_padding_is_hidden_where_the_decoder_was_trained_so():
    bundles = bundles_with()
    assert bundles["acoustic_decoder"].config["mask_padding"] is read_networks(bundles).mask_padding


def test_encoders_are_those_that_there_are():
    alone = read_encoders(tiny_upstream(["audio_mae"]))
    assert alone.q_audio is None and alone.text_encoder is None and alone.tasks is None
    params = {"audio_mae": tiny_upstream(["audio_mae"])["audio_mae"].params}
    audio = jax.ShapeDtypeStruct((1, SAMPLES), jnp.float32)
    assert jax.eval_shape(alone.local, params, audio).shape[0] == 1


def test_a_pipeline_without_separator_is_refused():
    with pytest.raises(ValueError, match="neither joint_separator nor single_stage"):
        read_separators(tiny_upstream(["audio_mae"]))


def test_a_bundle_that_is_no_codec_is_refused():
    with pytest.raises(ValueError, match="is no codec"):
        read_codec(tiny_upstream(["audio_mae"])["audio_mae"])


def test_task_words_are_padded_to_the_longest():
    tokenizer = Tokenizer.from_bundle(tiny_upstream(["text_encoder"])["text_encoder"])
    table = task_table(tokenizer)
    assert table.ids.shape == table.mask.shape and len(table.ids) == len(TASKS)
    for row, task in enumerate(TASKS):
        np.testing.assert_array_equal(table.ids[row][table.mask[row]], tokenizer.task_ids(task))
    assert (table.ids[~table.mask] == tokenizer.pad_id).all()
