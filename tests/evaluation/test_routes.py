"""Routes: what frames ours, and what others made, as files, programs and functions."""

import sys

import numpy as np
import pytest

from hsmtss_jax.audio.io import AudioError, write_audio
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.evaluation import routes
from hsmtss_jax.inference.mask_runtime import MaskRuntime
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.separator import Separator
from hsmtss_jax.metrics import sdr
from hsmtss_jax.testing.fake_runtime import FakeRuntime
from hsmtss_jax.testing.mask_systems import tiny_mask_pipeline
from tests.evaluation.sounds import make_pair

BOTH = ("extract", "remove")


def test_what_frames_a_table():
    pair = make_pair(tasks=BOTH)
    mixture, target, mask = (
        route(pair, 0) for route in (routes.Mixture(), routes.Target(), routes.IdealRatioMask())
    )
    assert mixture[0] is mixture[1] is pair.mixture and target[1] is pair.target
    assert mask[0] is mask[1] and mask[0].shape == pair.target.shape
    assert sdr(mask[0], pair.target) > sdr(pair.mixture, pair.target) + 10


def test_the_ideal_mask_of_one_sound_alone_is_that_sound():
    pair = make_pair()
    alone = routes.ideal_ratio_mask(pair.target, pair.target)
    np.testing.assert_allclose(alone, pair.target, atol=1e-6)


def test_a_mode_is_what_separator_gives():
    separator = Separator(FakeRuntime())
    pair = make_pair(samples=16_000, tasks=BOTH)
    route = routes.SeparatorMode(separator, SeparateOptions(mode="generate"))
    assert route.name == "generate"
    found = route(pair, 5)
    results = separator.separate_many(
        [pair.mixture],
        pair.instructions,
        sample_rate=16_000,
        options=SeparateOptions(mode="generate", seed=5, residual=False),
    )
    for sound, result in zip(found, next(iter(results)), strict=True):
        np.testing.assert_array_equal(sound, result.target[:, 0])


def test_the_codec_makes_the_target_again(runtime, examples):
    pair = make_pair(samples=16_000)
    (sound,) = routes.CodecResynthesis(runtime)(pair, 0)
    assert sound.shape == pair.target.shape and np.isfinite(sound).all()


def test_every_route_keeps_the_pair_s_rate(runtime, tmp_path):
    pair = make_pair(samples=20_000, sample_rate=32_000, name="street")
    write_audio(tmp_path / "street.wav", pair.target, 32_000, OutputOptions(bit_depth="float"))
    network = Separator(MaskRuntime(tiny_mask_pipeline()))  # works at 8 kHz
    heard = []
    for route in (
        *(routes.Mixture(), routes.Target(), routes.IdealRatioMask()),
        routes.CodecResynthesis(runtime),
        routes.SeparatorMode(network, SeparateOptions()),
        routes.SeparatorMode(Separator(FakeRuntime()), SeparateOptions(mode="generate")),
        routes.Function("f", lambda mixture, instruction, rate: heard.append(rate) or mixture),
    ):
        (sound,) = route(pair, 0)
        assert sound.shape == (20_000,) and np.isfinite(sound).all()
    assert heard == [32_000]
    np.testing.assert_array_equal(routes.SoundFolder(tmp_path)(pair, 0)[0], pair.target)


def test_a_folder_of_sounds_made_elsewhere(tmp_path):
    pair = make_pair(3, tasks=BOTH, name="street")
    stereo = np.repeat(pair.target[::2, None], 2, axis=1)
    write_audio(tmp_path / "street.wav", stereo, 8_000, OutputOptions(bit_depth="float"))
    write_audio(tmp_path / "street.remove.flac", pair.mixture[:3_000] / 2, 16_000)
    folder = routes.SoundFolder(tmp_path, "theirs")
    extracted, removed = folder(pair, 0)
    assert folder.name == "theirs" and extracted.shape == removed.shape == pair.target.shape
    assert sdr(extracted, pair.target) > 10
    np.testing.assert_allclose(removed[:3_000], pair.mixture[:3_000] / 2, atol=1e-4)
    assert not removed[3_000:].any()
    assert routes.SoundFolder(tmp_path).name == tmp_path.name
    with pytest.raises(
        FileNotFoundError, match=r"has no sound of the pair 4: it is to be called 4\.wav"
    ):
        folder(make_pair(4), 0)
    with pytest.raises(FileNotFoundError, match="no folder of sounds"):
        routes.SoundFolder(tmp_path / "absent")
    (tmp_path / "5.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError):
        routes.SoundFolder(tmp_path)(make_pair(5), 0)


PROGRAM = """
import shutil, sys
mixture, text, task, out = sys.argv[1:]
assert text in ("a tone", "noise"), text
if task == "extract": shutil.copy(mixture, out)
else: sys.exit("cannot " + task)
"""


def test_another_program(tmp_path):
    program = tmp_path / "prog.py"
    program.write_text(PROGRAM)
    words = f"{sys.executable} {program} {{mixture}} {{text}} {{task}} {{out}}"
    pair = make_pair()
    route = routes.ShellCommand(words, "theirs")
    np.testing.assert_allclose(route(pair, 0)[0], pair.mixture, atol=1e-6)
    with pytest.raises(ValueError, match=r"theirs failed \(1\): cannot remove"):
        route(make_pair(tasks=("remove",)), 0)


def test_programs_that_do_not_work():
    with pytest.raises(ValueError, match=r"must hold \{mixture\} and \{out\}"):
        routes.ShellCommand("prog {mixture}")
    with pytest.raises(ValueError, match="no program nothing-of-this-name"):
        routes.ShellCommand("nothing-of-this-name {mixture} {out}")(make_pair(), 0)
    idle = f"{sys.executable} -c pass {{mixture}} {{out}}"
    with pytest.raises(ValueError, match=r"wrote no \{out\}"):
        routes.ShellCommand(idle)(make_pair(), 0)


def test_a_function():
    pair = make_pair(tasks=BOTH)
    asked = []

    def separate(mixture, instruction, rate):
        asked.append((instruction.task, instruction.description, rate))
        return mixture[:-7]

    found = routes.Function("mine", separate)(pair, 0)
    assert asked == [("extract", "a tone", 16_000), ("remove", "noise", 16_000)]
    assert found[0].shape == pair.mixture.shape and not found[0][-7:].any()
    with pytest.raises(ValueError, match=r"mine gave an array of shape \(4000, 1\)"):
        routes.Function("mine", lambda x, *_: x[:, None])(pair, 0)
