"""``hsmtss separate`` around a system without networks: files, statuses, reports."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.io import AudioWarning
from hsmtss_jax.cli.main import main
from hsmtss_jax.inference import SeparateOptions, Separator
from tests.cli.conftest import FAKE, RATE, CommandRuntime, below, noise, write
from tests.cli.interrupted import interrupt

ROOT = Path(__file__).resolve().parents[2]


def separate(*argv) -> int:
    return main(["separate", *map(str, argv)], FAKE)


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_recording(tmp_path, capsys):
    """The first command of the README: a sound and a figure."""
    source, out = write(tmp_path / "in.flac", noise(channels=2)), tmp_path / "out.wav"
    assert separate(source, "extract the dog", "-o", out, "--target", source) == 0
    assert soundfile.info(out).channels == 2 and soundfile.info(out).subtype == "PCM_16"
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{out}: extract 'dog', 1.0 s, presence 0.")
    assert captured.err == "" and below(tmp_path) == {"in.flac", "out.wav", "out.png"}


def test_without_an_output(tmp_path):
    assert separate(write(tmp_path / "in.wav"), "extract the dog", "--no-figure", "-q") == 0
    assert below(tmp_path) == {"in.wav", "in_separated.wav"}


def test_many_inputs_and_prompts(tmp_path, capsys, monkeypatch):
    """Folders, same names, a broken file, a folder without audio: the others are written."""
    monkeypatch.chdir(tmp_path)
    for name in ("one/x.wav", "two/x.wav", "all/y.wav", "all/deep/x.wav"):
        write(Path(name))
    Path("all/bad.wav").write_text("no sound")
    Path("none").mkdir()
    inputs = ["one/x.wav", "two/x.wav", "all", "none", "absent.wav"]
    prompts = ["-p", "extract the dog", "-p", "remove the rain"]
    assert separate(*inputs, *prompts, "-o", "out", "--json", "all.jsonl", "-q") == 1
    names = {"x", "x_2", "y", "deep/x"}
    done = {
        f"{name}_{prompt}_target.wav"
        for name in names
        for prompt in ("extract_the_dog", "remove_the_rain")
    }
    assert below(Path("out")) == done
    told = lines(Path("all.jsonl").read_text())
    assert [each["status"] for each in told].count("done") == len(done)
    errors = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[2] for line in errors] == ["none", "all/bad.wav", "absent.wav"]
    assert sum(each["status"] == "failed" for each in told) == 5


@pytest.mark.filterwarnings("default::hsmtss_jax.audio.io.AudioWarning")
def test_two_stems_add_up(tmp_path, capsys):
    """Under one gain where they are too loud; --clip-mode none leaves them as they are."""
    loud = 15 * noise(3 * 22_050 + 1, 2)
    source = write(tmp_path / "in.wav", loud, 22_050)
    options = ["-o", tmp_path / "out", "--two-stems", "--no-figure", "--json=-"]
    for mode, depth in (("rescale", "24"), ("rescale", "float"), ("none", "float")):
        assert separate(source, "x", *options, f"--clip-mode={mode}", f"--bit-depth={depth}") == 0
        (told,) = lines(capsys.readouterr().out)
        target, rate = soundfile.read(told["output"])
        residual, _ = soundfile.read(told["residual"])
        assert rate == 22_050 and target.shape == residual.shape == loud.shape
        np.testing.assert_allclose(target + residual, told["gain"] * loud, atol=1e-5)
        loudest = max(np.abs(target).max(), np.abs(residual).max())
        assert told["peak"] > 1 and (told["gain"] < 1) == (mode == "rescale")
        assert loudest == pytest.approx(1.0 if mode == "rescale" else told["peak"], abs=1e-4)
    assert separate(source, "x", *options, "--clip-mode=clamp", "--bit-depth=float") == 0
    target, _ = soundfile.read(lines(capsys.readouterr().out)[0]["output"])
    assert np.abs(target).max() <= 1
    assert below(tmp_path / "out") == {"in_target.wav", "in_residual.wav"}


def test_json_says_what_was_done(tmp_path, capsys):
    source = write(tmp_path / "in.wav", noise(6 * RATE))
    options = ["--task", "remove", "--mode", "blend", "--blend", "0", "--seed", "7", "--top-k", "5"]
    more = ["--start", "0.5", "--end", "4.5", "--segment", "1.28", "--global-scope", "file"]
    asked = [source, "Keep the dog", *options, *more, "--best-of=2", "--windows=continued"]
    assert separate(*asked, "--json", "-") == 0
    (told,) = lines(capsys.readouterr().out)
    assert (told["task"], told["description"], told["seconds"]) == ("remove", "Keep the dog", 4.0)
    chosen = told["options"]
    assert (chosen["mode"], chosen["blend"], chosen["seed"]) == ("blend", 0, 7)
    assert (chosen["best_of"], chosen["windows"], chosen["residual"]) == (2, "continued", False)
    assert told["sampling"] == {"temperature": 0.8, "top_k": 5, "top_p": 1.0}
    assert (
        told["checkpoint"] == "fake"
        and told["windows"] == 4
        and 0 <= told["presence"]["score"] <= 1
    )
    curve = told["activity"]
    assert len(curve["times"]) == len(curve["values"]) == 25 and max(curve["values"]) == 1
    assert {"semantics", "tokens", "waveform", "render", "total"} <= set(told["timing"])
    assert soundfile.info(told["output"]).frames == 4 * RATE
    assert Path(told["figure"]).exists()


def test_existing_results_are_skipped(tmp_path, capsys):
    source = write(tmp_path / "in.wav")
    asked = [
        source,
        "-p",
        "extract c",
        "-p",
        "extract b",
        "-o",
        tmp_path / "out",
        "--skip-existing",
    ]
    kept = write(tmp_path / "out" / "in_extract_c_target.wav")
    before = kept.read_bytes()
    assert separate(*asked, "--json=-") == 0
    assert [each["status"] for each in lines(capsys.readouterr().out)] == ["skipped", "done"]
    assert kept.read_bytes() == before
    assert separate(*asked, "--ckpt", "nowhere") == 0, "nothing to do: no model is loaded"
    assert capsys.readouterr().out.count("exists, skipped") == 2


def test_an_absent_target_has_its_status(tmp_path, capsys):
    source = write(tmp_path / "in.wav")
    asked = [source, "-p", "extract a dog", "-p", "remove the rain", "-o", tmp_path / "out"]
    assert separate(*asked, "--min-presence=1", "--json=-") == 3
    captured = capsys.readouterr()
    told = lines(captured.out)
    assert [each["status"] for each in told] == ["absent", "absent"]
    assert "does not seem to be" in captured.err and captured.err.count("\n") == 2
    assert told[0]["presence"]["score"] < 1 and not (tmp_path / "out").exists()
    assert separate(*asked, "absent.wav", "--min-presence=1", "-q") == 1
    assert separate(*asked, "--min-presence=0", "-q") == 0


def test_plan_needs_no_recording_and_no_model(capsys):
    assert separate("--plan", "-p", "get rid of the rain", "-p", "violin") == 0
    told = lines(capsys.readouterr().out)
    assert [(each["task"], each["description"]) for each in told] == [
        *(("remove", "rain"), ("extract", "violin")),
    ]
    assert separate("in.wav", "no dogs please", "--plan", "--task", "extract") == 0
    assert lines(capsys.readouterr().out)[0]["description"] == "no dogs please"


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192_000, 2), (44_100, 8), (11_025, 3)])
def test_any_rate_and_channels(rate, channels, tmp_path):
    source = write(tmp_path / "in.wav", noise(rate // 2 + 3, channels), rate)
    for mode, expected in (("mask", channels), ("generate", 1)):
        out = tmp_path / f"{mode}.flac"
        assert separate(source, "x", "-o", out, "--mode", mode, "--no-figure", "-q") == 0
        info = soundfile.info(out)
        assert (info.samplerate, info.channels, info.frames) == (rate, expected, rate // 2 + 3)


def test_verbose_says_where_the_time_goes(tmp_path, capsys):
    assert separate(write(tmp_path / "in.wav"), "x", "-v", "--no-figure") == 0
    said = capsys.readouterr().err
    assert "checkpoint fake, architecture hsm_tss, device cpu:0" in said and "tokens 0." in said


def test_help_is_grouped(capsys):
    assert separate("--help") == 0
    text = capsys.readouterr().out
    assert "exit status:" in text and "[0.25]" in text
    for group in (
        "what to separate",
        "output",
        "method",
        "windows",
        "model and machine",
        "reports",
    ):
        assert f"\n{group}:" in text


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 130, "hsmtss: error: interrupted\n"),
        (signal.SIGTERM, 143, ""),
        (signal.SIGHUP, 129, ""),
    ],
)
def test_an_interrupt_leaves_what_is_complete(number, status, said, tmp_path):
    sources = [write(tmp_path / "a.wav"), write(tmp_path / "b.wav", noise(6 * RATE))]
    argv = ["separate", *sources, "-p", "x", "-o", tmp_path / "out", "--batch=1"]
    argv += ["--mask-from=target", "--json"]
    argv.append(tmp_path / "all.jsonl")
    assert interrupt(argv, number, tmp_path / "cache") == (status, said)
    assert below(tmp_path / "out") == {"a_target.wav"}
    assert [each["status"] for each in lines((tmp_path / "all.jsonl").read_text())] == ["done"]


def test_a_span_leaves_the_rest_of_the_recording(tmp_path, capsys):
    source = write(tmp_path / "in.wav", noise(2 * RATE), subtype="PCM_16")
    out, log = tmp_path / "out.wav", tmp_path / "log.jsonl"
    words = (source, "remove the rain by 6 dB between 0.5 and 1 seconds", "-o", out)
    assert separate(*words, "--json", log, "--no-figure") == 0
    assert "remove 'rain' by 6dB, 0:00.5-0:01" in capsys.readouterr().out
    before, after = soundfile.read(source)[0], soundfile.read(out)[0]
    inside = slice(RATE // 2, RATE)
    assert (before[inside] != after[inside]).any()
    np.testing.assert_array_equal(np.delete(before, inside), np.delete(after, inside))
    (document,) = lines(log.read_text())
    assert (document["spans"], document["amount"]) == (["0:00.5-0:01"], "6dB")


def test_options_win_over_the_sentence(tmp_path, capsys):
    words = ("remove the rain by 6 dB between 2 and 4 seconds", "--plan")
    assert separate(*words, "--span", "1-2", "--span", "the last 3 s", "--amount", "50%") == 0
    (document,) = lines(capsys.readouterr().out)
    assert document["spans"] == ["0:01-0:02", "end-0:03-end"] and document["amount"] == "6.021dB"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--span", "4-2"], "ends before it begins"),
        (["--amount", "loud"], "no amount"),
        (["--amount", "6dB", "--mode", "generate"], "mode generate does not take away 6dB"),
    ],
)
def test_limits_that_cannot_be(options, says, tmp_path, capsys):
    assert separate(write(tmp_path / "in.wav"), "remove the rain", *options) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_what_a_killed_run_left_is_swept(tmp_path):
    """Working files are hidden, and deleted by the next run into the same folder."""
    source, out = write(tmp_path / "in.flac", noise(6 * RATE)), tmp_path / "out"
    argv = ["separate", source, "x", "-o", out, "--batch=1", "--mask-from=target", "--no-figure"]
    interrupt(argv, signal.SIGKILL, tmp_path / "cache")
    left = below(out)
    assert left and all(name.startswith(".") for name in left)
    (out / ".mine.tmp").touch()
    assert separate(source, "x", "-o", out, "--no-figure", "-q") == 0
    assert below(out) == {".mine.tmp", "in_target.flac"}


HOT = 30 * noise(RATE, 2)


@pytest.mark.filterwarnings("default::hsmtss_jax.audio.io.AudioWarning")
@pytest.mark.parametrize(("name", "kept"), [("out.wav", True), ("out.flac", False)])
def test_floats_beyond_one_are_the_same_in_python_and_here(tmp_path, capsys, name, kept):
    """Floats keep them; whole numbers are turned down, and both say so."""
    source = write(tmp_path / "hot.wav", HOT)
    out, other = tmp_path / name, tmp_path / "python" / name
    other.parent.mkdir()
    assert separate(source, "x", "-o", out, "--no-figure", "--json=-") == 0
    (told,), said = lines((captured := capsys.readouterr()).out), captured.err
    separator = Separator(CommandRuntime(16))

    def in_python():
        return separator.separate_file(source, other, "x", options=SeparateOptions(residual=False))

    if kept:
        report = in_python()
        assert said == ""
    else:
        with pytest.warns(AudioWarning, match=r"samples reach \d+\.?\d*: turned down by"):
            report = in_python()
        assert said.startswith(f"hsmtss: warning: {out}: samples reach") and said.count("\n") == 1
    (ours, _), (theirs, _) = soundfile.read(out), soundfile.read(other)
    np.testing.assert_array_equal(ours, theirs)
    assert told["gain"] == pytest.approx(report.gain, abs=1e-6)
    assert (report.gain == 1) == kept and (np.abs(ours).max() > 1) == kept


@pytest.mark.parametrize(
    ("source", "options", "result", "subtype"),
    [
        ("in.flac", {"subtype": "PCM_24"}, "in_separated.flac", "PCM_24"),
        ("in.wav", {"subtype": "FLOAT"}, "in_separated.wav", "FLOAT"),
        ("in.wav", {"subtype": "PCM_24"}, "in_separated.wav", "PCM_24"),
        ("in.mp3", {}, "in_separated.mp3", "MPEG_LAYER_III"),
        ("in.ogg", {}, "in_separated.ogg", "VORBIS"),
        ("in.aiff", {"subtype": "PCM_16"}, "in_separated.aiff", "PCM_16"),
    ],
)
def test_results_are_as_the_input(tmp_path, source, options, result, subtype):
    write(tmp_path / source, **options)
    assert separate(tmp_path / source, "x", "--no-figure", "-q") == 0
    assert below(tmp_path) == {source, result}
    assert soundfile.info(tmp_path / result).subtype == subtype
