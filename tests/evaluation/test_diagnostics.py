import numpy as np
import pytest

from hsmtss_jax.evaluation.diagnostics import diagnose
from hsmtss_jax.evaluation.pairs import pair_of
from hsmtss_jax.inference.options import SeparateOptions


@pytest.fixture(scope="module")
def pair(examples):
    return pair_of(0, min(examples, key=lambda example: example.length))


def test_routes_sounds_and_cosines(runtime, pair):
    found = {one.route: one for one in diagnose(runtime, pair, SeparateOptions())}
    assert list(found) == ["mixture", "predicted", "codec", "true_s", "true_g"]
    for route in ("codec", "true_s", "true_g"):
        assert [sound.shape for sound in found[route].audio] == [pair.target.shape] * 2
    np.testing.assert_array_equal(*found["true_s"].audio)  # does not depend on the instruction
    assert not np.array_equal(*found["true_g"].audio)
    assert found["mixture"].audio is None is found["predicted"].audio
    assert set(found["predicted"].cosines) == {"s_cosine", "g_cosine"}
    assert set(found["true_g"].cosines) == {"s_cosine"}
    a, b = found["mixture"].cosines["g_cosine"]
    assert a == b <= 1.0


def test_the_target_as_mixture_has_its_own_features(runtime, pair):
    same = type(pair)(**{**vars(pair), "mixture": pair.target})
    cosines = diagnose(runtime, same, SeparateOptions())[0].cosines
    np.testing.assert_allclose(cosines["s_cosine"], 1.0, atol=1e-6)
    np.testing.assert_allclose(cosines["g_cosine"], 1.0, atol=1e-6)


def test_the_gate_puts_silence_where_the_mixture_has_it(runtime, pair):
    silent = pair.mixture.copy()
    silent[:2000] = 0.0
    quiet = type(pair)(**{**vars(pair), "mixture": silent})
    on, off = (
        {one.route: one for one in diagnose(runtime, quiet, SeparateOptions(silence_gate=gate))}
        for gate in (True, False)
    )
    assert not np.any(on["true_s"].audio[0][:1000])
    assert np.any(off["true_s"].audio[0][:1000])
