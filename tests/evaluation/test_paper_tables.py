"""The paper's tables: its printed numbers, ours by its metric and judge alone."""

import pytest

from hsmtss_jax.evaluation.paper_tables import MISSING, paper_table
from hsmtss_jax.evaluation.scores import PairScore


def scores(**values):
    return [PairScore(i, "extract", "mask", "a dog", str(i), 0.0, values) for i in range(2)]


def test_table_ii_beside_ours():
    rows = scores(lsd=4.0, lsd_1120=5.0, mel_psnr=20.0, kl_yamnet=0.5)
    table = paper_table("2", rows)
    document = table.to_json()
    assert document["paper, Clotho"] == {"kl": 1.089, "lsd": 1.378, "mel_psnr": 24.05}
    assert document["mask"]["lsd"]["mean"] == 4.0 and document["mask"]["mel_psnr"]["mean"] == 20.0
    assert document["mask"]["kl"] == MISSING  # another judge's is not the paper's
    assert "missing" in table.to_markdown() and table.title == "the paper's Table II, extraction"
    assert paper_table("2", scores(kl_cnn14=0.9)).to_json()["mask"]["kl"]["mean"] == 0.9


def test_tables_iii_and_iv():
    rows = scores(**{"clap_msclap 2023": 0.4, "clap_a_msclap 2023": 0.9, "afsim_tiny": 0.7})
    ours = paper_table("3", rows).to_json()["mask"]
    assert ours["clap"]["mean"] == pytest.approx(0.4) and ours["afsim"]["mean"] == pytest.approx(
        0.7
    )
    assert paper_table("3", scores(**{"clap_laion/x": 0.4})).to_json()["mask"]["clap"] == MISSING
    music = paper_table("4", rows).to_json()
    assert music["paper, MUSIC"]["afsim"] == 0.811 and music["mask"]["lsd"] == MISSING
    assert set(music) == {"paper, MUSIC", "mask"}
