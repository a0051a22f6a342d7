"""Scorers: values by hand, a judge heard once a pair, what is undefined is NaN."""

import math
import sys

import numpy as np
import pytest

from hsmtss_jax.evaluation.scorers import ClapScore, Divergence, Likeness, LogWMSE, SignalMetrics
from hsmtss_jax.metrics import kl_sigmoid, kl_softmax, sdr
from tests.evaluation.sounds import MeanJudge, WordJudge, make_pair


def test_signal_metrics_fill_their_columns():
    pair, scorer = make_pair(), SignalMetrics()
    perfect, nothing = scorer([pair.target, pair.mixture], pair)
    assert {column.key for column in scorer.columns} == set(perfect.values)
    assert perfect.values["sdr"] == math.inf and perfect.values["lsd"] == pytest.approx(0, abs=1e-6)
    assert nothing.values["sdr"] == pytest.approx(sdr(pair.mixture, pair.target))
    assert nothing.values["sdri"] == 0.0 and perfect.embedding is None


def test_sdr_counts_all_bands_and_the_rest_is_heard_at_16_khz():
    time = np.arange(16_000) / 32_000
    low, high = (0.3 * np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (500, 12_000))
    pair = make_pair(sample_rate=32_000)
    object.__setattr__(pair, "target", low + high)
    object.__setattr__(pair, "mixture", low + high + 0.1)
    (found,) = SignalMetrics()([low], pair)
    assert found.values["sdr"] == pytest.approx(3.0, abs=0.1)
    assert found.values["mel_psnr"] > 35
    judge = MeanJudge()
    (found,) = Divergence(judge)([low + high], pair)
    heard = judge(pair.at(16_000).target[None])
    np.testing.assert_allclose(found.embedding, heard.embedding[0], atol=1e-6)


def test_a_judge_hears_the_target_once():
    pair, judge = make_pair(), MeanJudge()
    scorer = Divergence(judge)
    same, other = scorer([pair.target, pair.mixture + 1], pair)
    assert judge.calls == 1
    assert [column.title for column in scorer.columns] == ["KL (Mean) ↓", "KL, sigmoid (Mean) ↓"]
    heard = judge(np.stack([pair.target, pair.mixture + 1])).logits
    assert other.values["kl_mean"] == pytest.approx(kl_softmax(heard[1:], heard[:1])[0])
    assert other.values["kl_sigmoid_mean"] == pytest.approx(kl_sigmoid(heard[1:], heard[:1])[0])
    assert abs(same.values["kl_mean"]) < 1e-5
    np.testing.assert_allclose(other.embedding, 2 * heard[1])


def test_likeness_and_clap_score():
    pair = make_pair()
    same, half = Likeness(WordJudge(), "AFSim")([pair.target, np.abs(pair.target)], pair)
    assert same.values == {"afsim_words": pytest.approx(1.0)}
    assert half.values["afsim_words"] == pytest.approx(math.sqrt(0.5), abs=1e-3)
    scorer = ClapScore(WordJudge())
    titles = [column.title for column in scorer.columns]
    assert titles == ["CLAP (words) ↑", "CLAP-A (words) ↑"]
    (found,) = scorer([pair.target], pair)
    assert found.values["clap_words"] == pytest.approx(1.0, abs=1e-3)
    (found,) = scorer([pair.target], make_pair(caption="noise"))
    assert found.values["clap_words"] == pytest.approx(0.0, abs=1e-3)
    (found,) = scorer([pair.target], make_pair(caption=""))
    assert math.isnan(found.values["clap_words"]) and found.values["clap_a_words"] == pytest.approx(
        1
    )


@pytest.mark.extra
def test_log_wmse_of_a_silent_target():
    """An error that cannot be heard is -4 ln(1e-8); as loud as the mixture, about -4 ln(1) = 0."""
    pytest.importorskip("log_wmse_audio_quality")
    pair = make_pair()
    silent = make_pair()
    object.__setattr__(silent, "target", np.zeros_like(pair.target))
    scorer = LogWMSE(16_000)
    nothing, all_of_it = scorer([np.zeros_like(pair.target), pair.mixture], silent)
    assert nothing.values["log_wmse"] == pytest.approx(-4 * math.log(1e-8))
    assert abs(all_of_it.values["log_wmse"]) < 0.1


def test_log_wmse_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "log_wmse_audio_quality", None)
    with pytest.raises(ValueError, match=r"pip install 'hsmtss-jax\[eval\]'"):
        LogWMSE(16_000)
