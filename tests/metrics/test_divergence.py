import numpy as np
import pytest

from hsmtss_jax.metrics import kl_sigmoid, kl_softmax


def logit(p):
    return np.log(p / (1 - p))


def test_kl_softmax_by_hand():
    reference = np.log([[0.5, 0.5], [0.9, 0.1]]) + 3.0  # a shared offset does not count
    estimate = np.log([[0.25, 0.75], [0.9, 0.1]]) - 1.0
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)  # 0.1438
    np.testing.assert_allclose(kl_softmax(estimate, reference), [expected, 0.0], atol=1e-5)
    assert expected == pytest.approx(0.14384, abs=1e-5)


def test_the_floor_is_on_the_estimate_alone():
    reference, estimate = np.array([[0.0, -800.0]]), np.array([[-800.0, 0.0]])
    assert kl_softmax(estimate, reference) == pytest.approx(-np.log(1e-6))
    assert kl_softmax(reference, reference) == pytest.approx(0.0, abs=2e-6)


def test_kl_sigmoid_by_hand():
    reference, estimate = logit(np.array([[0.5, 0.2]])), logit(np.array([[0.25, 0.4]]))
    expected = 0.5 * np.log(0.5 / 0.25) + 0.2 * np.log(0.2 / 0.4)  # 0.2079
    np.testing.assert_allclose(kl_sigmoid(estimate, reference), [expected], atol=1e-5)
    silent = np.array([[-800.0, -800.0]])
    assert kl_sigmoid(silent, silent) == pytest.approx(0.0)


@pytest.mark.parametrize("metric", [kl_softmax, kl_sigmoid])
def test_shapes_are_checked(metric):
    with pytest.raises(ValueError, match=r"one shape \[n, C\]"):
        metric(np.zeros((2, 3)), np.zeros((2, 4)))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_the_formulas_of_audioldm_eval():
    torch = pytest.importorskip("torch")
    x, y = np.random.RandomState(0).normal(size=(2, 5, 7)) * 3
    estimate, reference = torch.from_numpy(x), torch.from_numpy(y)
    f = torch.nn.functional
    for ours, normal in ((kl_softmax, lambda z: z.softmax(dim=1)), (kl_sigmoid, torch.sigmoid)):
        expected = f.kl_div((normal(estimate) + 1e-6).log(), normal(reference), reduction="none")
        np.testing.assert_allclose(ours(x, y), expected.sum(dim=1), rtol=1e-9)
