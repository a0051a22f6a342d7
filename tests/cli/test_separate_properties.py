"""Whatever the recording or the damage: a result or a line, never a traceback or half a file."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle
from hsmtss_jax.bundles.hub import demo_bundle
from hsmtss_jax.bundles.pipeline import MASK_DECODER, ROLES, load_pipeline
from hsmtss_jax.cli.main import main
from tests.cli.conftest import FAKE, below, noise, write

few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WAV = {"PCM_16", "PCM_24", "PCM_U8", "FLOAT", "DOUBLE", "ALAW"}


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def run(*argv) -> tuple[int, list[str]]:
    """Status and lines on the error stream but those of narrow and loud sound; nothing is printed beside."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        status = main(["separate", *map(str, argv), "--no-figure"], FAKE)
    told = ("expect less", "turned down by")
    lines = errors.getvalue().splitlines()
    return status, [line for line in lines if not any(words in line for words in told)]


@pytest.mark.filterwarnings("default::hsmtss_jax.audio.io.AudioWarning")
@few
@given(
    samples=st.integers(1, 20_000),
    channels=st.integers(1, 4),
    rate=st.sampled_from([4000, 8000, 11_025, 16_000, 22_051, 44_100, 48_000, 192_000]),
    subtype=st.sampled_from(sorted(WAV)),
    mode=st.sampled_from(["mask", "generate", "blend"]),
    level=st.sampled_from([1e-6, 0.1, 5.0]),
)
def test_any_recording(samples, channels, rate, subtype, mode, level):
    with folder() as place:
        sound = np.clip(level * noise(samples, channels), -1, 1)
        source, out = place / "in.wav", place / "out.wav"
        soundfile.write(source, sound, rate, subtype=subtype)
        status, errors = run(source, "extract a dog", "-o", out, "--mode", mode)
        if status == 0:
            info = soundfile.info(out)
            kept = 1 if mode == "generate" else channels
            assert (info.frames, info.samplerate, info.channels) == (samples, rate, kept)
            assert errors == [] and below(place) == {"in.wav", "out.wav"}
        else:
            assert (status, len(errors)) == (2, 1) and below(place) == {"in.wav"}
            assert "too short" in errors[0] or "silent" in errors[0]


@st.composite
def damaged(draw, content: bytes, near: int) -> bytes:
    """Some bytes changed, most of them near the start, or the end cut off."""
    spoilt = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        limit = draw(st.sampled_from([near, len(content)]))
        spoilt[draw(st.integers(0, limit - 1))] = draw(st.integers(0, 255))
    keep = draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    return bytes(spoilt[:keep])


def audio(suffix: str, channels: int) -> bytes:
    with folder() as place:
        path = place / f"x{suffix}"
        soundfile.write(path, noise(3000, channels), 8000)
        return path.read_bytes()


@pytest.mark.filterwarnings("ignore::hsmtss_jax.audio.io.errors.AudioWarning")  # cut short
@settings(few, max_examples=80)
@given(
    content=st.one_of(
        damaged(audio(".wav", 1), 44), damaged(audio(".flac", 2), 60), damaged(audio(".ogg", 1), 80)
    )
)
def test_damaged_audio(content):
    with folder() as place:
        source, out = place / "in.audio", place / "out.wav"
        source.write_bytes(content)
        status, errors = run(source, "-p", "remove the rain", "-o", out, "--two-stems")
        written = {"out.wav", "out_residual.wav"} if status == 0 else set()
        assert status in (0, 2) and below(place) == {"in.audio"} | written
        assert len(errors) == (status == 2)


@few
@given(data=st.data(), name=st.sampled_from(["bundle.json", "model.safetensors"]))
def test_damaged_bundles(tmp_path, data, name):
    bundle = Bundle("q_audio", {"a": 1}, {"kernel": np.ones((3, 2), np.float32)})
    source = tmp_path / "bundle"
    if not source.exists():
        save_bundle(source, bundle)
    sound = (source / name).read_bytes()
    spoilt = data.draw(damaged(sound, len(sound)))
    with folder() as place:
        for other in ("bundle.json", "model.safetensors"):
            (place / other).write_bytes((source / other).read_bytes())
        (place / name).write_bytes(spoilt)
        try:
            read = load_bundle(place)
        except (ValueError, OSError) as error:
            assert "\n" not in str(error)
        else:
            np.testing.assert_array_equal(read.params["kernel"], bundle.params["kernel"])


@few
@given(content=damaged((demo_bundle() / "pipeline.json").read_bytes(), 320))
def test_damaged_pipelines(content):
    with folder() as place:
        (place / "pipeline.json").write_bytes(content)
        with contextlib.suppress(ValueError, OSError):
            load_pipeline(place, roles=())


@pytest.mark.filterwarnings("default::UserWarning")  # other languages, a folder without sound
@few
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=4))
@example(["ก"])
@example(["/dev", "0"])
def test_any_words(words):
    """Arguments are words, not an attack: options that print and stop aside, each ends in a line."""
    words = [word for word in words if word not in ("-h", "--help", "--plan", "--debug")]
    with folder() as place:
        source = write(place / "in.wav", noise(2000))
        status, errors = run(source, *words, "-o", place / "out.wav", "-q")
        assert all(line.startswith("hsmtss: ") for line in errors)
        errors = [line for line in errors if not line.startswith("hsmtss: warning: ")]
        assert (status, len(errors)) in {(0, 0), (2, 1), (1, 1)}


def test_all_roles_are_read():
    assert set(load_pipeline(demo_bundle()).bundles) == {*ROLES, MASK_DECODER}
