"""Pairs from recordings: ratios by power, names in any format, and the commands of a benchmark."""

import json

import numpy as np
import pytest

from hsmtss_jax.audio.io import read_audio, write_audio
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, make_pairs, mix
from hsmtss_jax.evaluation.benchmarks.pair_list import PairRow
from hsmtss_jax.task import Task
from hsmtss_jax.testing.fake_runtime import FakeRuntime
from hsmtss_jax.testing.mask_systems import FakeMaskSystem

ROW = PairRow(name="p", text="tone", target="tone.wav", other="noise.wav", snr_db=6.0)


@pytest.fixture
def recordings(tmp_path):
    """A tone of a second, a noise of half a second, a quiet file and a mixture."""
    folder = tmp_path / "recordings"
    (folder / "deep").mkdir(parents=True)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    noise = np.random.default_rng(0).normal(size=8_000) * 0.05
    write_audio(folder / "deep" / "tone.flac", tone, 16_000)
    write_audio(folder / "noise.wav", noise, 16_000)
    write_audio(folder / "silent.wav", np.zeros(8_000), 16_000)
    (folder / "tone.csv").write_text("no sound")
    return Recordings(folder)


def test_the_ratio_is_of_all_samples(recordings):
    mixed = mix(ROW, recordings)
    rest = mixed.mixture - mixed.target
    assert mixed.target.shape == (16_000,) and not rest[8_000:].any()
    ratio = np.mean(mixed.target**2) / np.mean(rest**2)
    assert 10 * np.log10(ratio) == pytest.approx(6.0, abs=1e-3)
    short = mix(
        PairRow(name="p", text="t", target="tone.wav", other="noise.wav", seconds=0.25), recordings
    )
    assert short.mixture.shape == (4_000,)


def test_a_mixture_beyond_full_scale_is_brought_down_with_its_target(recordings):
    loud = mix(
        PairRow(name="p", text="t", target="tone.wav", other="noise.wav", snr_db=-15), recordings
    )
    assert np.abs(loud.mixture).max() == pytest.approx(0.9, abs=1e-6)
    assert np.abs(loud.target).max() < 0.5
    rest = loud.mixture - loud.target
    assert np.mean(loud.target**2) / np.mean(rest**2) == pytest.approx(10**-1.5, rel=1e-3)


def test_ready_mixtures_are_taken_as_they_are(recordings):
    row = PairRow(name="p", text="t", target="tone.wav", mixture="noise.wav")
    mixed = mix(row, recordings)
    assert mixed.mixture.shape == (16_000,) and not mixed.mixture[8_000:].any()


def test_pairs_are_asked_in_the_ways_that_have_words(recordings):
    known = PairRow(name="q", text="tone", target="tone.wav", other="noise.wav", text_other="noise")
    both = (Task.EXTRACT, Task.REMOVE)
    pairs = list(make_pairs([ROW, known, ROW], recordings, [0, 1], both))
    assert [[i.task for i in pair.instructions] for pair in pairs] == [["extract"], [*both]]
    assert pairs[1].instructions[1].description == "noise" and pairs[1].index == 1
    assert pairs[0].group == "p" and pairs[0].caption == "tone"
    assert not list(make_pairs([ROW], recordings, [0], [Task.REMOVE]))


def test_what_is_missing_or_silent_is_named(recordings):
    row = PairRow(name="p", text="t", target="absent.wav", other="noise.wav")
    assert recordings.missing([ROW, row]) == ["absent.wav"]
    with pytest.raises(FileNotFoundError, match=r"has no absent\.wav, in any format"):
        mix(row, recordings)
    row = PairRow(name="p", text="t", target="tone.wav", other="silent.wav")
    with pytest.raises(ValueError, match=r"silent\.wav is silent: the pair p has no ratio"):
        mix(row, recordings)
    with pytest.raises(FileNotFoundError, match="no folder of recordings"):
        Recordings("nowhere")


@pytest.fixture
def esc50(tmp_path):
    """A published list of four pairs and its recordings."""
    names = [f"1-10{i}-A-{i}.wav" for i in range(4)]
    folder = tmp_path / "esc50"
    folder.mkdir()
    for i, name in enumerate(names):
        sound = 0.2 * np.sin(2 * np.pi * 200 * (i + 1) * np.arange(20_000) / 16_000)
        write_audio(folder / name, sound, 16_000)
    lines = [f"{i},sound {i},{names[i]},{names[(i + 1) % 4]}" for i in range(4)]
    (tmp_path / "list.csv").write_text("\n".join(["idx,caption,src_wav,noise_wav", *lines]))
    return tmp_path


def test_list_make_run_table(esc50, capsys):
    assert main(["benchmark", "list"]) == 0
    listed = capsys.readouterr().out
    assert "SDRi 10.04" in listed and "music (draw)" in listed and "PSNR 23.85" in listed
    pairs, audio = esc50 / "esc50" / "pairs.csv", esc50 / "audio"
    make = ["benchmark", "make", "esc50", f"--source={esc50 / 'list.csv'}", "-o", str(pairs)]
    assert main([*make, f"--recordings={esc50 / 'esc50'}", f"--audio={audio}"]) == 0
    assert "4 of 4 pairs" in capsys.readouterr().out
    assert len(read_audio(audio / "mixtures" / "3.wav").samples) == 80_000
    context = Context(load_runtime=lambda *_: FakeRuntime())
    logs = [esc50 / f"run-{i}.jsonl" for i in (0, 1)]
    for i, log in enumerate(logs):
        run = [
            "benchmark",
            "run",
            str(pairs),
            "--tasks",
            "extract",
            "remove",
            "--modes",
            "generate",
        ]
        sounds = ["--sounds", str(audio / "mixtures"), f"--shard={i}/2", f"--log={log}"]
        assert main([*run, *sounds], context) == 0
    capsys.readouterr()
    out = esc50 / "table.json"
    assert main(["benchmark", "table", *map(str, logs), "-o", str(out), "--paper=2"]) == 0
    summary = json.loads(out.read_text())["summary"]
    paper = summary.pop("the paper's Table II, extraction")
    assert paper["generate"]["kl"] == "missing" and paper["generate"]["lsd"]["count"] == 4
    assert set(summary) == {"extract", "remove", "all"}
    rows = {"target", "mixture", "ideal_mask", "generate", "mixtures"}
    assert rows <= set(summary["all"])
    assert summary["all"]["mixture"]["sdr"]["count"] == 8
    assert summary["extract"]["mixtures"]["sdr"]["mean"] == pytest.approx(0, abs=1e-2)


def test_a_mask_separator_runs_like_any_other(esc50, tmp_path):
    pairs, out = esc50 / "pairs.csv", tmp_path / "report.json"
    make = ["benchmark", "make", "esc50", f"--source={esc50 / 'list.csv'}", "-o", str(pairs)]
    assert main([*make, f"--recordings={esc50 / 'esc50'}"]) == 0
    context = Context(load_runtime=lambda *_: FakeMaskSystem({"sound 0": 1.0, "sound 2": 0.5}))
    run = ["benchmark", "run", str(pairs), f"--recordings={esc50 / 'esc50'}", "--every=2"]
    assert main([*run, "-o", str(out)], context) == 0
    rows = {(row["index"], row["route"]): row for row in json.loads(out.read_text())["rows"]}
    assert rows[0, "mask"]["values"]["sdri"] == pytest.approx(0.0, abs=0.1)
    assert rows[2, "mask"]["values"]["sdr"] == pytest.approx(10 * np.log10(2), abs=0.2)


def test_bands_above_8_khz_count_where_the_rate_has_them(tmp_path):
    """A system of 16 kHz that gives all it hears lacks half of the target's power, at 32 kHz."""
    tones = [0.2 * np.sin(2 * np.pi * hz * np.arange(32_000) / 32_000) for hz in (500, 12_000, 900)]
    write_audio(tmp_path / "both.wav", tones[0] + tones[1], 32_000)
    write_audio(tmp_path / "other.wav", tones[2], 32_000)
    (tmp_path / "pairs.csv").write_text(
        "name,text,target,other,snr_db\np,both,both.wav,other.wav,60\n"
    )
    context = Context(load_runtime=lambda *_: FakeMaskSystem({"both": 1.0}))
    found = {}
    for rate in (16_000, 32_000):
        out = tmp_path / f"{rate}.json"
        run = ["benchmark", "run", str(tmp_path / "pairs.csv"), "--no-ceiling", f"--rate={rate}"]
        assert main([*run, "-o", str(out)], context) == 0
        rows = {row["route"]: row for row in json.loads(out.read_text())["rows"]}
        found[rate] = rows["mask"]["values"]["sdr"]
    assert found[32_000] == pytest.approx(3.0, abs=0.2) and found[16_000] > 30


def test_bad_input_is_one_line(esc50, capsys):
    make = ["benchmark", "make", "esc50", f"--source={esc50 / 'list.csv'}"]
    out = ["-o", str(esc50 / "pairs.csv")]
    (esc50 / "esc50" / "1-102-A-2.wav").unlink()
    for argv, said in (
        ([*make, f"--recordings={esc50}/esc50", *out], "lacks 1 recordings, such as 1-102-A-2.wav"),
        ([*make, "--recordings=nowhere", *out], "no folder of recordings at nowhere"),
        (["benchmark", "run", str(esc50 / "list.csv")], "is no pair list"),
        (["benchmark", "run", "x.csv", "--shard", "2/2"], "--shard is I/N"),
        (["benchmark", "table", str(esc50 / "list.csv")], "is no log of scores"),
        (
            ["benchmark", "fly"],
            "choose one of list, make, draw, files, run, table, report",
        ),
    ):
        assert main(argv) == 2
        error = capsys.readouterr().err
        assert error.startswith("hsmtss: error: ") and error.count("\n") == 1 and said in error
    assert main([*make, f"--recordings={esc50}/esc50", *out, "--skip-missing"]) == 0
    assert "2 of 4 pairs" in capsys.readouterr().out
