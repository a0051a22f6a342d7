import numpy as np
import pytest

from hsmtss_jax.evaluation import codec
from hsmtss_jax.evaluation.pooling import ClipWindow


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["encodec", "dac"])
def test_torch_codecs(kind, tmp_path):
    pytest.importorskip("torch")
    import transformers

    from hsmtss_jax.evaluation.torch_codecs import TorchCodec, load_torch_codec

    if kind == "encodec":
        config = transformers.EncodecConfig(
            num_filters=4, hidden_size=8, num_lstm_layers=1, codebook_dim=8, target_bandwidths=[6.0]
        )
        model, groups, rate = transformers.EncodecModel(config), 8, 75.0
    else:
        config = transformers.DacConfig(
            encoder_hidden_size=4,
            decoder_hidden_size=16,
            n_codebooks=12,
            hidden_size=64,
            downsampling_ratios=[2, 4, 5, 8],
            upsampling_ratios=[8, 5, 4, 2],
        )
        model, groups, rate = transformers.DacModel(config), 12, 50.0
    model.save_pretrained(tmp_path)
    peer = load_torch_codec(kind, tmp_path)
    assert (peer.groups, peer.codes, peer.frame_rate) == (groups, 1024, rate)
    assert peer.parameters == sum(p.numel() for p in model.parameters())
    clip = np.random.default_rng(0).normal(0, 0.1, 8_100).astype(np.float32)
    tokens, decoded = peer.code(clip)
    assert tokens.shape == (np.ceil(8_100 / 16_000 * rate), groups) and decoded.shape == clip.shape
    assert tokens.min() >= 0 and tokens.max() < 1024 and np.isfinite(decoded).all()
    row = codec.evaluate(peer, [ClipWindow(0, clip, len(clip))], samples=8_100)
    assert row.raw_kbps == pytest.approx(6.0) and row.compile_seconds == 0.0
    with pytest.raises(ValueError, match=r"has no 7 kbps|codebooks, not 14"):
        TorchCodec(kind, model, 7.0)
    with pytest.raises(FileNotFoundError, match=r"has no config\.json"):
        load_torch_codec(kind, tmp_path / "absent")
