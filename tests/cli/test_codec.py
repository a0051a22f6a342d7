"""hsmtss codec: there and back, one-line refusals that leave nothing behind."""

import dataclasses
import json

import numpy as np
import pytest

from hsmtss_jax.audio.io import read_audio, write_audio
from hsmtss_jax.bundles.bundle import save_bundle
from hsmtss_jax.cli.main import main
from hsmtss_jax.testing.bundles import tiny_upstream


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """in.wav (stereo, 22.05 kHz, 0.3 s), a codec bundle, and what encode makes of them."""
    folder = tmp_path_factory.mktemp("codec")
    noise = 0.1 * np.random.default_rng(0).normal(size=(6_615, 2))
    write_audio(folder / "in.wav", noise, 22_050)
    bundle = dataclasses.replace(tiny_upstream(["tf_codec"])["tf_codec"], digest="")
    save_bundle(folder / "codec", bundle)
    other = dataclasses.replace(bundle, config={**bundle.config, "samples": 1})
    save_bundle(folder / "other", other)
    assert run("encode", folder / "in.wav", folder / "sound.tfc", folder / "codec", "-q") == 0
    return folder


def run(task, source, output, ckpt, *rest) -> int:
    return main(["codec", task, str(source), str(output), "--ckpt", str(ckpt), *rest])


def refused(capsys, *argv) -> str:
    assert main([str(argument) for argument in argv]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1
    return error


@pytest.mark.filterwarnings("default::hsmtss_jax.audio.io.AudioWarning")  # random weights are loud
def test_there_and_back(folder, capsys):
    ckpt, out = folder / "codec", folder / "out.wav"
    assert run("encode", folder / "in.wav", folder / "again.tfc", ckpt) == 0
    assert (folder / "again.tfc").read_bytes() == (folder / "sound.tfc").read_bytes()
    encoded = json.loads(capsys.readouterr().out)
    assert encoded["seconds"] == 0.3 and encoded["token_frames"] == 16
    assert encoded["bytes"] == (folder / "sound.tfc").stat().st_size
    assert run("decode", folder / "sound.tfc", out, ckpt) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 4_800
    decoded = read_audio(out)
    assert decoded.sample_rate == 16_000 and decoded.samples.shape == (4_800, 1)
    assert run("decode", folder / "sound.tfc", out, ckpt, "-q", "--rate", "44100") == 0
    assert read_audio(out).samples.shape == (13_230, 1)
    capsys.readouterr()
    assert main(["codec", "info", str(folder / "sound.tfc")]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["frames"], info["samples"], info["sample_rate"]) == (16, 4_800, 16_000)
    assert info["digest"] == encoded["codec"] and info["bytes"] == encoded["bytes"]


def test_bad_token_files_are_refused(folder, capsys, tmp_path):
    data = (folder / "sound.tfc").read_bytes()
    bad, out = tmp_path / "bad.tfc", tmp_path / "out.wav"
    flipped = data[:60] + bytes([data[60] ^ 4]) + data[61:]
    for content, message in (
        (b"", "not a token file"),
        ((folder / "in.wav").read_bytes(), "not a token file"),
        (data[:30], "truncated"),
        (data[:-1], "truncated"),
        (data[:8] + b"\x09" + data[9:], "version 9"),
        (flipped, "damaged"),
    ):
        bad.write_bytes(content)
        argv = ("codec", "decode", bad, out, "--ckpt", folder / "codec")
        assert message in refused(capsys, *argv) and not out.exists()
        assert message in refused(capsys, "codec", "info", bad)
    argv = ("codec", "decode", folder / "sound.tfc", out, "--ckpt", folder / "other")
    assert "were made by codec" in refused(capsys, *argv)
    assert {path.name for path in tmp_path.iterdir()} == {"bad.tfc"}


def test_bad_places_and_options_are_refused(folder, capsys, tmp_path):
    sound, out = folder / "in.wav", tmp_path / "x.tfc"
    assert "no such file" in refused(capsys, "codec", "encode", tmp_path / "none.wav", out)
    assert "overwrite" in refused(capsys, "codec", "encode", sound, sound)
    assert "does not exist" in refused(capsys, "codec", "encode", sound, out / "y.tfc")
    assert "not a file" in refused(capsys, "codec", "encode", sound, tmp_path)
    assert "no checkpoint" in refused(
        capsys, "codec", "encode", sound, out, "--ckpt", tmp_path / "none"
    )
    tokens = folder / "sound.tfc"
    assert "is written" in refused(capsys, "codec", "decode", tokens, tmp_path / "x.xyz")
    rate = ("--rate", "3")
    assert "--rate" in refused(capsys, "codec", "decode", tokens, tmp_path / "x.wav", *rate)
    assert "encode, decode, info" in refused(capsys, "codec")
    assert not list(tmp_path.iterdir())
