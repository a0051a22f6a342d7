"""Pairs from folders of files, and ``hsmtss evaluate folder`` from end to end."""

import json
import sys

import numpy as np
import pytest

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.cli.main import main
from hsmtss_jax.evaluation.folders import folder_pairs, sounds_in
from tests.evaluation.sounds import make_pair


@pytest.fixture
def folder(tmp_path):
    """Three pairs as files: references, mixtures, texts, and estimates halfway between."""
    lines = ["name,text,group"]
    for i in range(3):
        pair = make_pair(i, samples=8_000)
        for kind, sound in {
            "references": pair.target,
            "mixtures": pair.mixture,
            "halfway": (pair.target + pair.mixture) / 2,
        }.items():
            (tmp_path / kind).mkdir(exist_ok=True)
            write_audio(tmp_path / kind / f"clip{i}.wav", sound, 16_000)
        lines.append(f'clip{i},"a tone, {i}",g{i % 2}')
    (tmp_path / "texts.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_pairs_by_name(folder):
    pairs = list(folder_pairs(folder / "references", folder / "mixtures", folder / "texts.csv"))
    assert [(p.index, p.name, p.group) for p in pairs] == [
        *((0, "clip0", "g0"), (1, "clip1", "g1"), (2, "clip2", "g0")),
    ]
    assert pairs[1].caption == pairs[1].instructions[0].description == "a tone, 1"
    np.testing.assert_allclose(pairs[1].mixture, make_pair(1, samples=8_000).mixture, atol=1e-4)
    alone = next(iter(folder_pairs(folder / "references")))
    assert np.isnan(alone.mixture).all() and alone.group == "clip0" and alone.caption == ""


def test_what_is_missing_is_named(folder):
    (folder / "mixtures" / "clip2.wav").unlink()
    with pytest.raises(ValueError, match="has no mixture clip2"):
        list(folder_pairs(folder / "references", folder / "mixtures"))
    (folder / "texts.csv").write_text("name,text\nclip0,a\n")
    with pytest.raises(ValueError, match="has no text for clip1"):
        list(folder_pairs(folder / "references", texts=folder / "texts.csv"))
    (folder / "texts.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match="no columns name and text"):
        list(folder_pairs(folder / "references", texts=folder / "texts.csv"))
    (folder / "references" / "clip0.flac").write_bytes(b"")
    with pytest.raises(ValueError, match="have one name"):
        sounds_in(folder / "references")
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="has no sounds"):
        sounds_in(folder / "empty")


def test_a_folder_made_elsewhere_is_judged_without_code(folder, capsys):
    out, log = folder / "new" / "report.json", folder / "run.jsonl"
    program = (
        f"{sys.executable} -c 'import shutil, sys; shutil.copy(*sys.argv[1:])' {{mixture}} {{out}}"
    )
    argv = [
        *("evaluate", "folder", str(folder / "halfway"), f"--references={folder / 'references'}"),
        *(f"--mixtures={folder / 'mixtures'}", f"--texts={folder / 'texts.csv'}"),
        *("--command", f"theirs={program}", f"--log={log}", "-o", str(out)),
    ]
    assert main(argv) == 0
    document = json.loads(out.read_text())
    table = document["summary"]["extract"]
    name = "theirs"
    assert {"target", "mixture", "ideal_mask", "halfway", "halfway - mixture"} <= set(table)
    assert table["halfway"]["sdri"]["mean"] == pytest.approx(20 * np.log10(2), abs=0.05)
    assert table[name]["sdr"]["mean"] == pytest.approx(table["mixture"]["sdr"]["mean"], abs=1e-3)
    assert table["ideal_mask"]["sdr"]["mean"] > table["halfway"]["sdr"]["mean"]
    assert "2 recordings" in document["notes"][0]
    before = log.read_text()
    capsys.readouterr()
    assert main(argv) == 0 and log.read_text() == before
    assert main(["benchmark", "table", str(log)]) == 0
    assert "| halfway |" in capsys.readouterr().out


def test_without_mixtures_there_is_no_improvement(folder, capsys):
    argv = ["evaluate", "folder", str(folder / "halfway"), f"--references={folder / 'references'}"]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert "SDR (dB)" in printed and "SDRi" not in printed and "unprocessed" not in printed


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "give a folder of estimates, or --command"),
        (["{}/absent"], "no folder of sounds at"),
        (["--command", "prog {mixture} {out}"], "--command needs mixtures"),
        (["--command", "prog", "--mixtures={}/mixtures"], "must hold {mixture} and {out}"),
        (["{}/halfway", "--judge", "nowhere"], "no judge nowhere"),
    ],
)
def test_bad_input_is_one_line(argv, said, folder, capsys):
    words = [word.replace("{}", str(folder)) for word in argv]
    assert main(["evaluate", "folder", *words, f"--references={folder / 'references'}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error
