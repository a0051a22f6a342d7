"""The public API around a system without networks: what it promises of any weights."""

import asyncio
import concurrent.futures
import itertools

import numpy as np
import pytest
import soundfile

from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.inference import (
    Failed,
    OutputFiles,
    SeparateOptions,
    SeparationResult,
    Separator,
    TargetAbsent,
)
from hsmtss_jax.inference.generator import CANDIDATE_STEP
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.testing.fake_runtime import WINDOW, FakeRuntime

RATE = 16000
PROMPTS = ["extract the dog", "remove the rain"]


def sound(seed, samples, channels=1):
    rng = np.random.default_rng(seed)
    slow = 1 + np.sin(np.arange(samples) / 3000)[:, None]
    return (0.05 * slow * rng.normal(size=(samples, channels))).astype(np.float32)


STEREO = sound(0, 220_507, 2)  # 44.1 kHz: three windows
MONO = sound(1, RATE)  # one window


@pytest.fixture
def many(runtime, separator):
    """Two recordings by two prompts, and what was called: (results, rows encoded, progress)."""
    rows, steps = [], []
    inner = runtime.encode_audio
    runtime.encode_audio = lambda audio: rows.append(len(audio)) or inner(audio)
    inputs = [STEREO, sound(2, 2 * RATE)]
    results = separator.separate_many(
        inputs, PROMPTS, sample_rate=44_100, progress=lambda *x: steps.append(x)
    )
    return list(results), rows, steps


def test_a_mask_keeps_rate_channels_and_sum(many):
    for result in many[0][0]:
        assert result.target.shape == STEREO.shape and result.sample_rate == 44_100
        np.testing.assert_allclose(result.target + result.residual, STEREO, atol=1e-6)
        assert np.abs(result.residual).max() > 1e-3 < np.abs(result.target).max()
        assert result.samples == len(STEREO) and result.windows == 3
        assert result.peak == pytest.approx(
            max(np.abs(result.target).max(), np.abs(result.residual).max())
        )


@pytest.mark.parametrize("blend", [0.0, 1.0])
def test_a_blend_keeps_rate_channels_and_sum(blend, many, separator):
    result = separator.separate(
        STEREO,
        PROMPTS[0],
        sample_rate=44_100,
        options=SeparateOptions(mode="blend", blend=blend),
        end=2.0,
    )
    assert result.target.shape == (88_200, 2)
    np.testing.assert_allclose(result.target + result.residual, STEREO[:88_200], atol=1e-6)
    of_mask = many[0][0][0].target[:44_100]
    assert (np.abs(result.target[:44_100] - of_mask).max() < 5e-3) == (blend == 0)


def test_segments_shorter_than_the_model_s_window():
    short = Separator(FakeRuntime(batch=4), segment=1.28, overlap=0.5)
    result = short.separate(STEREO, PROMPTS[0], sample_rate=44_100)
    assert result.windows == 7
    np.testing.assert_allclose(result.target + result.residual, STEREO, atol=1e-6)


def test_reports_are_readable(many):
    (first, second), _ = many[0]
    assert first.instruction == Instruction("extract", "dog")
    assert second.instruction == Instruction("remove", "rain")
    assert 0 <= float(first.presence) <= 1 and first.presence != second.presence
    times, values = first.activity.times, first.activity.values
    assert len(times) == len(values) == -(-len(STEREO) // round(0.16 * 44_100))
    assert values.min() >= 0 and values.max() == 1 and times[-1] < len(STEREO) / 44_100 + 0.16
    assert {"read", "semantics", "tokens", "waveform", "total"} <= set(first.timing)


def test_features_are_computed_once_for_all_prompts(many):
    assert sum(many[1]) == 4  # windows
    assert many[2][-1] == (4, 4) and [a for a, _ in many[2]] == sorted(a for a, _ in many[2])


def test_many_are_what_each_is_alone(many, separator):
    alone = separator.separate(STEREO, PROMPTS[1], sample_rate=44_100)
    together = many[0][0][1]
    np.testing.assert_allclose(alone.target, together.target, atol=1e-4)
    assert float(alone.presence) == pytest.approx(float(together.presence), abs=1e-4)


def test_no_recordings_give_no_results(separator):
    assert list(separator.separate_many([], ["extract a dog"])) == []


def test_a_file_is_what_its_samples_are(many, separator, tmp_path):
    source, out, rest = (tmp_path / name for name in ("in.wav", "out.wav", "rest.flac"))
    soundfile.write(source, STEREO, 44_100, subtype="FLOAT")
    report = separator.separate_file(
        source, out, PROMPTS[0], residual_path=rest, output=OutputOptions(bit_depth="24")
    )
    target, rate = soundfile.read(out, dtype="float32")
    assert rate == 44_100 and not isinstance(report, SeparationResult)
    np.testing.assert_allclose(target, many[0][0][0].target, atol=1e-4)
    np.testing.assert_allclose(soundfile.read(rest)[0], many[0][0][0].residual, atol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.wav", "rest.flac"]


def test_the_residual_of_generated_sound_is_the_opposite_task_s(separator):
    options = {"sample_rate": RATE, "mode": "generate", "seed": 5}
    kept = separator.separate(MONO, task="extract", description="dog", **options)
    rest = separator.separate(MONO, Instruction("remove", "dog"), **options)
    assert kept.target.shape == kept.residual.shape == (RATE, 1)
    np.testing.assert_allclose(kept.residual, rest.target, atol=1e-4)
    assert np.abs(kept.target - kept.residual).max() > 1e-3
    assert np.abs(kept.target).max() <= 1


def test_the_mask_hears_the_opposite_task_too(separator):
    options = {"sample_rate": RATE, "task": "remove", "description": "dog"}
    both, alone = (
        separator.separate(MONO, options=SeparateOptions(mask_from=name), **options)
        for name in ("both", "target")
    )
    assert np.abs(both.target - alone.target).max() > 1e-3
    np.testing.assert_allclose(both.target + both.residual, MONO, atol=1e-6)
    with pytest.raises(ValueError, match="unknown mask_from 'x'"):
        SeparateOptions(mask_from="x")


def test_another_seed_is_another_sound(separator):
    a, b, c = (
        separator.separate(
            MONO, PROMPTS[0], sample_rate=RATE, mode="generate", residual=False, seed=seed
        )
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(a.target, b.target)
    assert a.residual is None and np.abs(a.target - c.target).max() > 1e-3


def test_windows_in_sequence_continue_one_another(separator):
    """The tokens of the overlap are taken over: it sounds as the window before had it."""
    audio = sound(4, 3 * RATE)
    a, b = (
        separator.separate(
            audio,
            PROMPTS[0],
            sample_rate=RATE,
            options=SeparateOptions(mode="generate", residual=False, windows=windows),
        ).target
        for windows in ("independent", "continued")
    )
    start = WINDOW * 3 // 4
    np.testing.assert_allclose(a[:start], b[:start], atol=1e-4)
    assert np.abs(a[start:WINDOW] - b[start:WINDOW]).max() > 1e-3
    (first,) = (
        separator.separate(audio, PROMPTS[0], end=WINDOW / RATE, **options).target
        for options in [{"sample_rate": RATE, "mode": "generate", "residual": False}]
    )
    np.testing.assert_allclose(b[start:WINDOW], first[start:], atol=2e-2)


def test_the_nearest_candidate_is_kept(runtime, separator):
    seen = []
    inner = runtime.similarity
    runtime.similarity = lambda *x: seen.append(inner(*x)) or seen[-1]
    options = {"sample_rate": RATE, "mode": "generate", "residual": False}
    best = separator.separate(MONO, PROMPTS[0], best_of=3, **options)
    chosen = int(np.argmax(seen[0][:3]))
    alone = separator.separate(MONO, PROMPTS[0], seed=chosen * CANDIDATE_STEP, **options)
    np.testing.assert_allclose(best.target, alone.target, atol=1e-4)


def test_a_shared_global_feature_is_one_for_all_windows(runtime, separator):
    given = []
    inner = runtime.predict
    runtime.predict = lambda *x: given.append(x[2]) or inner(*x)
    options = SeparateOptions(global_scope="file", mask_from="target")
    separator.separate(STEREO, PROMPTS[0], sample_rate=44_100, options=options)
    surveyed, shared = given
    assert surveyed is None and np.ptp(shared, axis=0).max() == 0 and np.abs(shared).max() > 0


@pytest.mark.parametrize("gate", [True, False])
def test_the_silence_gate_goes_to_the_codec_and_to_the_recording(gate, runtime, separator):
    """Off: the codec's noise floor stays, and sound generated in the recording's silence, too."""
    asked = []
    inner = runtime.decode_tokens

    def loud(tokens, samples, *, gate):
        asked.append(gate)
        return inner(np.full_like(tokens, 50), samples)

    runtime.decode_tokens = loud
    audio = np.concatenate([MONO, np.zeros((RATE, 1), np.float32), MONO])
    result = separator.separate(
        audio,
        PROMPTS[0],
        sample_rate=RATE,
        options=SeparateOptions(mode="generate", residual=False, silence_gate=gate),
    )
    assert set(asked) == {gate}
    inner_silence = result.target[
        RATE + 2000 : 2 * RATE - 500
    ]  # the low cut rings behind the sound
    assert inner_silence.any() == (not gate)
    assert np.abs(result.target[:RATE]).max() > 1e-3


def test_an_absent_target_is_told(separator):
    with pytest.raises(TargetAbsent, match=r"'dog' does not seem .* below 1.00") as caught:
        separator.separate(MONO, PROMPTS[0], sample_rate=RATE, min_presence=1.0)
    assert 0 <= float(caught.value.presence) < 1
    results = separator.separate_many(
        [MONO],
        PROMPTS,
        sample_rate=RATE,
        options=SeparateOptions(min_presence=1.0),
        errors="return",
    )
    assert all(isinstance(result.error, TargetAbsent) for result in next(results))


def test_one_bad_file_does_not_stop_the_others(separator, tmp_path):
    good, bad, silent = (tmp_path / f"{name}.wav" for name in ("good", "bad", "silent"))
    soundfile.write(good, MONO, RATE)
    soundfile.write(silent, np.zeros(RATE), RATE)
    bad.write_text("no sound")
    jobs = {
        path: [OutputFiles(PROMPTS[0], tmp_path / f"{path.stem}_out.wav")]
        for path in (bad, good, silent)
    }
    found = list(itertools.chain(*separator.separate_files(jobs)))
    assert isinstance(found[0], Failed) and "not an audio file" in str(found[0].error)
    assert found[1].samples == RATE and "silent" in str(found[2].error)
    written = {path.name for path in tmp_path.iterdir()} - {"good.wav", "bad.wav", "silent.wav"}
    assert written == {"good_out.wav"}


def test_an_abandoned_run_leaves_no_file(separator, tmp_path):
    source = tmp_path / "in.wav"
    soundfile.write(source, sound(6, 20 * RATE), RATE)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        separator.separate_file(source, tmp_path / "out.wav", PROMPTS[0], progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "x"}, "unknown mode 'x': choose one of mask, generate, blend"),
        ({"best_of": 0}, "best_of must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"min_presence": -1.0}, "min_presence"),
        ({"sample_rate": None}, "sample_rate"),
        ({"start": 2.0}, "start must lie"),
        ({"start": 0.5, "end": 0.2}, "end must lie"),
        ({"start": 0.99}, "too short"),
        ({"task": "extract"}, "not both"),
    ],
)
def test_options_out_of_range(options, said, separator):
    with pytest.raises(ValueError, match=said):
        separator.separate(MONO, PROMPTS[0], **{"sample_rate": RATE, **options})


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(RATE, np.float32), "silent"),
        (np.ones(1, np.float32), "too short"),
        (np.full(RATE, np.nan, np.float32), "NaN"),
        (np.full(RATE, np.inf, np.float32), "NaN or infinite"),
        (np.ones(RATE, np.int16), "floats"),
        (np.ones((2, 2, 2), np.float32), "shape"),
    ],
)
def test_recordings_that_cannot_be_separated(samples, said, separator):
    with pytest.raises(ValueError, match=said):
        separator.separate(samples, PROMPTS[0], sample_rate=RATE)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"overlap": 1.0}, "overlap"),
        ({"segment": 99.0}, "segment"),
        ({"segment": 0.0}, "segment"),
    ],
)
def test_windows_that_cannot_be(options, said):
    with pytest.raises(ValueError, match=said):
        Separator(FakeRuntime(), **options)


def test_places_to_load_from(tmp_path):
    with pytest.raises(OSError, match="nobody/nothing"):
        Separator.from_pretrained("nobody/nothing")
    with pytest.raises(ValueError, match="unknown dtype"):
        Separator.from_pretrained(dtype="int3")
    with pytest.raises(ValueError, match="no device 'abacus'"):
        Separator.from_pretrained(device="abacus")


def test_spans_and_amounts_are_options_too(separator):
    found = separator.separate(MONO, PROMPTS[0], sample_rate=RATE, span="0.1-0.2", amount="6dB")
    assert found.instruction.limits == "by 6dB, 0:00.1-0:00.2"
    first, last = round(0.1 * RATE), round(0.2 * RATE)
    np.testing.assert_array_equal(found.target[:first], MONO[:first])
    np.testing.assert_array_equal(found.target[last:], MONO[last:])
    np.testing.assert_allclose(found.target + found.residual, MONO, atol=1e-6)


def test_threads_and_asyncio_share_a_separator(separator):
    """Each call has a state of its own."""
    alone = [separator.separate(MONO, each, sample_rate=RATE).target for each in PROMPTS]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(separator.separate, MONO, p, sample_rate=RATE) for p in 3 * PROMPTS]
        threads = [call.result().target for call in calls]

    async def together():
        calls = (asyncio.to_thread(separator.separate, MONO, p, sample_rate=RATE) for p in PROMPTS)
        return await asyncio.gather(*calls)

    tasks = [result.target for result in asyncio.run(together())]
    for found in (threads[:2], threads[2:4], threads[4:], tasks):
        np.testing.assert_array_equal(found, alone)


def test_times_may_be_texts(separator):
    part = separator.separate(
        STEREO, PROMPTS[0], sample_rate=44_100, start="0:01", end="0:02.5", residual=False
    )
    assert len(part.target) == 1.5 * 44_100
