import numpy as np
import pytest

from hsmtss_jax.audio.mel import hz_to_mel, mel_filterbank, mel_to_hz


@pytest.mark.parametrize("scale", ["slaney", "htk", "kaldi"])
def test_scales_invert(scale):
    hz = np.array([0.0, 20.0, 440.0, 999.0, 1000.0, 4000.0, 8000.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz, scale), scale), hz, atol=1e-9)


def test_kaldi_bank():
    bank = mel_filterbank(128, 512, 16000, 20.0, 8000.0, scale="kaldi")
    assert bank.shape == (257, 128) and bank.dtype == np.float32
    assert (bank[-1] == 0).all()
    assert np.flatnonzero(bank.sum(axis=0) == 0).tolist() == [3]
    assert bank.min() >= 0 and bank.max() <= 1


def test_result_is_cached_and_read_only():
    bank = mel_filterbank(64, 512, 16000, 50.0, 8000.0)
    assert bank is mel_filterbank(64, 512, 16000, 50.0, 8000.0)
    with pytest.raises(ValueError, match="read-only"):
        bank[0, 0] = 1.0


def test_bad_range_and_scale_are_errors():
    with pytest.raises(ValueError, match="mel range"):
        mel_filterbank(64, 512, 16000, 50.0, 9000.0)
    with pytest.raises(ValueError, match="mel scale"):
        hz_to_mel(1.0, "bark")
    with pytest.raises(ValueError, match="mel scale"):
        mel_to_hz(1.0, "bark")


@pytest.mark.parity
@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize("htk", [False, True])
def test_equals_librosa(norm, htk):
    librosa = pytest.importorskip("librosa")
    want = librosa.filters.mel(
        sr=16000, n_fft=512, n_mels=64, fmin=50, fmax=8000, htk=htk, norm=norm
    )
    got = mel_filterbank(64, 512, 16000, 50.0, 8000.0, "htk" if htk else "slaney", norm)
    np.testing.assert_allclose(got, want.T, atol=1e-6)
