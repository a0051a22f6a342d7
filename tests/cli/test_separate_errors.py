"""Bad input: one clear line, a non-zero exit, nothing written."""

import errno
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.bundles.hub import demo_bundle
from hsmtss_jax.bundles.pipeline import MASK_DECODER, ROLES
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.main import main
from tests.cli.conftest import RATE, below, noise, write


def made(path, action):
    """The path, after doing something to it."""
    action(path)
    return path


def truncated(path, keep):
    size = write(path).stat().st_size
    os.truncate(path, int(size * keep))
    return path


ODD = np.where(np.arange(RATE) == 9, np.nan, noise()[:, 0])
RECORDINGS = {
    "missing": (lambda p: p, "in.wav: no such file"),
    "folder": (lambda p: made(p, Path.mkdir), "no audio files in this folder"),
    "text": (lambda p: made(p, lambda p: p.write_text("this is no sound")), "not an audio file"),
    "empty file": (lambda p: made(p, Path.touch), "an empty file"),
    "a pipe": (lambda p: made(p, os.mkfifo), "a pipe that nobody writes to"),
    "no samples": (lambda p: write(p, np.zeros(0)), "holds no samples"),
    "one sample": (lambda p: write(p, np.ones(1)), "too short (1 samples"),
    "silent": (lambda p: write(p, np.zeros(RATE)), "silent"),
    "nan": (lambda p: write(p, ODD), "NaN"),
    "infinite": (lambda p: write(p, np.nan_to_num(ODD, nan=np.inf)), "NaN or infinite"),
    "truncated header": (lambda p: truncated(p, 0.0004), "not an audio file"),
}


@pytest.mark.parametrize("case", RECORDINGS)
def test_bad_recordings(case, tmp_path, capsys):
    """Found before any model is loaded."""
    nothing = Context(load_runtime=lambda *arguments: pytest.fail("a model was loaded"))
    make, said = RECORDINGS[case]
    source = make(tmp_path / "in.wav")
    argv = ["separate", str(source), "remove the dog", "-o", str(tmp_path / "o.wav")]
    assert main(argv, nothing) == 2
    error = capsys.readouterr().err
    assert error.startswith("hsmtss: error: ") and error.count("\n") == 1
    assert said in error and "in.wav" in error
    assert below(tmp_path) <= {"in.wav"}


OPTIONS = [
    (["--ckpt", "nowhere"], "no checkpoint at nowhere"),
    (["--overlap", "2"], "--overlap: must be at least 0 and at most 0.9, got 2"),
    (["--temperature", "-1"], "--temperature: must be at least 0"),
    (["--temperature", "nan"], "--temperature: must be at least 0"),
    (["--top-p", "0"], "--top-p: must be above 0"),
    (["--top-k", "many"], "'many' is not a whole number"),
    (["--best-of", "0"], "--best-of: must be at least 1"),
    (["--seed", "-1"], "--seed"),
    (["--start", "soon"], "'soon' is no time: give seconds"),
    (["--start", "2"], "start must lie in the recording's 1.000 s"),
    (["--start", "0.5", "--end", "0.5"], "--end must lie behind --start"),
    (["--mode", "karaoke"], "choose from"),
    (["--blend", "0.5", "--mode", "mask"], "--blend goes with --mode blend"),
    (["--moed", "mask"], "unknown argument --moed: did you mean --mode?"),
    (["--mask-from", "target", "--mode", "generate"], "leave it out of --mode generate"),
    (["--xyzzy"], "unknown argument --xyzzy"),
    (["--device", "abacus"], "no device 'abacus' here"),
    (["-o", "out.xyz"], ".xyz is no format that is written"),
    (["-o", "out.mp4"], "in.wav has no pictures"),
    (["-o", "out.mp3", "--bit-depth", "24"], "MP3 has no bit depth"),
    (["--format", "flac", "--bitrate", "128"], "not with FLAC"),
    (["-o", "nowhere/out.wav", "--format", "flac"], "is no flac file"),
    (["-o", "in.wav/out"], "in.wav/out: cannot be made (Not a directory)"),
    (["-o", "in.wav/out.wav"], "in.wav"),
    (["-o", "/dev/full"], "/dev/full"),
    (["-o", "in.wav"], "would overwrite the input"),
    (["-o", "link.wav"], "exists and is not a file"),
    (["--format", "flac", "--bit-depth", "float"], "FLAC has 8, 16, 24"),
    (["-o", "out.flac", "--bit-depth", "float"], "FLAC has 8, 16, 24"),
    (["-o", "out.flac", "--clip-mode", "none"], "clip mode none needs floats"),
    (["--filename", "{title}"], "no field {title}"),
    (["--json", "nowhere/x.jsonl"], "cannot be written there"),
    (["--target", "nowhere.wav"], "nowhere.wav: no such file"),
    (["--parser", "local"], "needs a model"),
    (["--parser", "endpoint", "--parser-url", "localhost"], "http"),
]


@pytest.mark.parametrize(("change", "said"), OPTIONS, ids=lambda value: str(value)[:40])
def test_bad_options(change, said, tmp_path, refused, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("in.wav"))
    Path("link.wav").symlink_to("/dev/full")
    before = Path("in.wav").read_bytes()
    assert said in refused("separate", "in.wav", "remove the dog", *change)
    assert below(tmp_path) == {"in.wav"} and Path("in.wav").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav", "link.wav"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["  "], "the instruction is empty"),
        (["?!"], "the instruction is empty"),
        (["remove " + 10_000 * "x"], "the instruction has 10,007 characters"),
        (["x" * 10_000, "--task=remove"], "the instruction has 10,000 characters"),
        (["", "--task=extract"], "the instruction is empty"),
        ([], "give recordings and an instruction"),
        (["-p"], "expected one argument"),
    ],
)
def test_bad_instructions(words, said, tmp_path, refused):
    assert said in refused("separate", write(tmp_path / "in.wav"), *words)
    assert below(tmp_path) == {"in.wav"}


def test_no_input(refused):
    assert "give a recording as well" in refused("separate", "remove the dog")
    assert "give recordings" in refused("separate")


def sparse(path: Path, seconds: float, rate: int, width: int) -> Path:
    """A WAV file of one channel of float32 (width 4) or int16 zeros that takes no room."""
    size = int(seconds * rate) * width
    kind = 3 if width == 4 else 1
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, kind, 2, rate, rate * 2 * width, 2 * width, 8 * width
    )
    data = struct.pack("<4sI", b"data", 2 * size)
    body = form + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body) + 2 * size) + b"WAVE" + body)
    os.truncate(path, path.stat().st_size + 2 * size)
    return path


def test_three_hours(fake, tmp_path, refused):
    """A part of a long file is read without the rest; what cannot be done is said at once."""
    hours = sparse(tmp_path / "long.wav", 3 * 3600, 44_100, 2)
    with hours.open("r+b") as file:
        file.seek(44 + 9000 * 44_100 * 4)
        file.write((3000 * noise(44_100, 2)).astype("<i2").tobytes())
    out = tmp_path / "out.wav"
    part = ["--start", "9000", "--end", "9001", "-q", "-o", out]
    assert main(["separate", str(hours), "x", *map(str, part)], fake) == 0
    assert soundfile.info(out).frames == 44_100
    assert below(tmp_path) == {"long.wav", "out.wav", "out.png"}


def test_a_full_disk(fake, tmp_path, refused, monkeypatch):
    """Whatever is being written when there is no room left: no result, no working file."""
    source = write(tmp_path / "in.wav")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fails(*args, **options):
        raise full

    monkeypatch.setattr("hsmtss_jax.audio.io.AudioWriter.write", fails)
    asked = ["separate", source, "x", "-o", tmp_path / "new" / "out", "--two-stems"]
    for clip_mode in ("clamp", "rescale"):
        assert "No space left" in refused(*asked, "--clip-mode", clip_mode)
        assert below(tmp_path) == {"in.wav"} and not (tmp_path / "new").exists()


def test_a_file_limit_stops_the_sound(fake, tmp_path, refused):
    """The system refuses to write on: libsndfile's error is a line as well."""
    resource = pytest.importorskip("resource")
    source = write(tmp_path / "in.wav", noise(4 * RATE))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        refused("separate", source, "x", "-o", tmp_path / "out.wav", "--no-figure")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert below(tmp_path) == {"in.wav"}


def test_a_figure_that_cannot_be_drawn_is_no_failed_result(fake, tmp_path, capsys):
    (tmp_path / "out.png").mkdir()
    source, out = write(tmp_path / "in.wav"), tmp_path / "out.wav"
    assert main(["separate", str(source), "x", "-o", str(out), "--json", "-"], fake) == 0
    told = capsys.readouterr()
    assert told.err.startswith(f"hsmtss: warning: {out.with_suffix('.png')}: the figure could not")
    assert told.err.count("\n") == 1 and json.loads(told.out)["figure"] is None
    assert below(tmp_path) == {"in.wav", "out.wav"}


@pytest.mark.parametrize("prompt", ["$x^{$", "remove 雨 and 🐕", "extract the \\ {} dog"])
def test_any_prompt_has_a_figure(fake, tmp_path, capsys, prompt):
    source, out = write(tmp_path / "in.wav"), tmp_path / "out.wav"
    asked = ["separate", str(source), prompt, "--task=extract", "-o", str(out), "-q"]
    assert main(asked, fake) == 0
    assert capsys.readouterr().err == "" and below(tmp_path) == {"in.wav", "out.wav", "out.png"}


def test_a_segment_is_the_models(fake, tmp_path, refused):
    source = write(tmp_path / "in.wav")
    error = refused("separate", source, "x", "--segment", "100")
    assert "the segment must lie between 0.16 and 2.56 s" in error


def test_a_read_only_folder(fake, tmp_path, refused, monkeypatch):
    """Tests may run as root, whom nothing is forbidden: the system's answer is replaced."""
    source = write(tmp_path / "in.wav")
    writable = os.access
    folder = tmp_path / "out"
    folder.mkdir()

    def access(path, mode, **options):
        return writable(path, mode, **options) and not (mode == os.W_OK and Path(path) == folder)

    monkeypatch.setattr(os, "access", access)
    assert "no permission" in refused("separate", source, "x", "-o", folder)
    assert below(tmp_path) == {"in.wav"}


@pytest.fixture
def pipeline(tmp_path) -> Path:
    """Of the form of a pipeline bundle, with next to nothing in it."""
    folder = tmp_path / "pipeline"
    for role in (*ROLES, MASK_DECODER):
        params = {"kernel": np.ones((2, 2), np.float32)}
        save_bundle(folder / role, Bundle(stage=role, config={"name": role}, params=params))
    (folder / "pipeline.json").write_text((demo_bundle() / "pipeline.json").read_text())
    return folder


def _edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


CHECKPOINTS = {
    "missing": (lambda p: p.rename(p.with_name("else")), "no checkpoint at"),
    "no pipeline": (lambda p: (p / "pipeline.json").unlink(), "it has no pipeline.json"),
    "garbage": (lambda p: (p / "pipeline.json").write_text("{{"), "damaged"),
    "bytes": (lambda p: (p / "pipeline.json").write_bytes(b"\xff\xfe\x00"), "damaged"),
    "a list": (lambda p: (p / "pipeline.json").write_text("[]"), "damaged"),
    "nesting": (lambda p: (p / "pipeline.json").write_text("[" * 100_000), "damaged"),
    "another version": (lambda p: _edit(p / "pipeline.json", format_version=9), "format 9"),
    "odd sampling": (lambda p: _edit(p / "pipeline.json", sampling={"top_k": 0.5}), "damaged"),
    "a role missing": (lambda p: (p / "q_audio" / "bundle.json").unlink(), "not a bundle"),
    "truncated": (lambda p: os.truncate(p / "q_audio" / "model.safetensors", 60), "truncated"),
    "swapped": (
        lambda p: [
            (p / "q_audio").rename(p / "x"),
            (p / "tf_codec").rename(p / "q_audio"),
            (p / "x").rename(p / "tf_codec"),
        ],
        "is a bundle of",
    ),
    "foreign": (lambda p: None, "does not fit this version"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_bad_checkpoints(case, pipeline, tmp_path, refused):
    damage, said = CHECKPOINTS[case]
    damage(pipeline)
    source = write(tmp_path / "in.wav")
    out = tmp_path / "out" / "deep"
    assert said in refused("separate", source, "x", "--ckpt", pipeline, "-o", out)
    assert not (tmp_path / "out").exists()


def test_a_stage_is_no_pipeline(pipeline, tmp_path, refused):
    source = write(tmp_path / "in.wav")
    error = refused("separate", source, "x", "--ckpt", pipeline / "q_audio")
    assert "the bundle of a stage: it has no pipeline.json" in error
    (tmp_path / "hub").mkdir()
    assert "no checkpoint" in refused("separate", source, "x", "--ckpt", tmp_path / "a" / "b" / "c")
    assert "no pipeline.json" in refused("separate", source, "x", "--ckpt", tmp_path / "hub")
