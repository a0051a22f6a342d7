"""What a tiny recipe begins with."""

from hsmtss_jax.bundles.bundle import load_bundle
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.recipes.materials import main


def test_the_corpus_is_a_data_set(tmp_path):
    main(["corpus", str(tmp_path / "corpus")])
    assert len(ClipSource(str(tmp_path / "corpus"), "train").clips) == 24


def test_the_text_encoder_is_a_bundle(tmp_path):
    main(["text_encoder", str(tmp_path / "bundle"), "tiny"])
    assert load_bundle(tmp_path / "bundle").stage == "text_encoder"
