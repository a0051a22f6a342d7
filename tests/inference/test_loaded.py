import dataclasses

import jax
import numpy as np
import pytest

from hsmtss_jax.inference.loaded import LoadedBundles
from hsmtss_jax.testing.bundles import tiny_upstream


def test_weights_by_role_and_a_tokenizer_where_there_is_text():
    bundles = tiny_upstream(["audio_mae", "text_encoder"])
    loaded = LoadedBundles(bundles)
    assert set(loaded.params) == {"audio_mae", "text_encoder"} and loaded.dtype == np.float32
    jax.tree.map(
        np.testing.assert_array_equal, loaded.params["audio_mae"], bundles["audio_mae"].params
    )
    ids, mask = loaded.tokenizer(["a dog"], 8)
    assert ids.shape == (1, 8) and mask.sum() == 6  # [CLS] a d ##o ##g [SEP]
    assert LoadedBundles({"audio_mae": bundles["audio_mae"]}).tokenizer is None


def test_bundles_that_were_not_trained_together_are_refused():
    bundles = tiny_upstream(["audio_mae", "text_encoder", "q_audio"])
    foreign = dataclasses.replace(bundles["audio_mae"], digest="another")
    with pytest.raises(ValueError, match="was trained against"):
        LoadedBundles({**bundles, "audio_mae": foreign})
