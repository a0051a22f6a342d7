"""Windows of several recordings and instructions become sounds, each what it would be alone."""

import numpy as np
import pytest

from hsmtss_jax.audio.windows import plan_windows
from hsmtss_jax.inference.generator import CANDIDATE_STEP, WindowGenerator
from hsmtss_jax.inference.hearing import hear
from hsmtss_jax.inference.options import SeparateOptions
from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.inference.requests import RecordingState
from hsmtss_jax.inference.stopwatch import Stopwatch
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.testing.fake_runtime import FRAME, WINDOW

RATE = 16_000
ASKED = [Instruction("extract", "dog"), Instruction("remove", "rain")]


class Scene:
    """A generator, and recordings of noise that are asked for ``ASKED``."""

    def __init__(self, runtime, *, seconds=(4.0, 2.0), cache_bytes=1 << 20, **options) -> None:
        self.options = SeparateOptions(**options)
        self.stopwatch = Stopwatch()
        self.states = [self._state(i, each) for i, each in enumerate(seconds)]
        self.generator = WindowGenerator(
            runtime, self.options, ASKED, self.stopwatch, cache_bytes=cache_bytes
        )

    def _state(self, index, seconds):
        rng = np.random.default_rng(index)
        samples = (0.1 * rng.normal(size=round(seconds * RATE))).astype(np.float32)
        heard = hear(open_recording(samples, RATE), RATE)
        plan = plan_windows(len(samples), WINDOW, WINDOW // 4, FRAME)
        return RecordingState(index, heard, plan, ASKED, self.options.generates_opposite)

    def windows(self):
        return [window for state in self.states for window in state.windows()]


def test_every_window_has_a_sound_for_every_instruction_and_its_opposite(runtime):
    scene = Scene(runtime)
    windows = scene.windows()
    generated = scene.generator.generate(windows)
    assert len(generated) == len(windows) == 3
    for sounds in generated:
        assert len(sounds) == len(ASKED)
        for sound in sounds.values():
            assert sound.target.shape == sound.residual.shape == (WINDOW,)
    assert {"semantics", "tokens", "waveform"} <= set(scene.stopwatch.report())


def test_windows_together_are_what_each_is_alone(runtime):
    together = Scene(runtime)
    generated = together.generator.generate(together.windows())
    for place, window in enumerate(Scene(runtime).windows()):
        (alone,) = Scene(runtime).generator.generate([window])
        size = window.used
        np.testing.assert_allclose(
            generated[place][0].target[:size], alone[0].target[:size], atol=1e-6
        )


def test_cosines_are_noted_once(runtime):
    scene = Scene(runtime)
    first, _ = scene.states
    windows, predicted = list(first.windows()), set(first.predicted)
    scene.generator.survey(windows)
    first.surveyed = True
    scene.generator.generate(windows)
    assert {len(cosines) for cosines in first.cosines.values()} == {first.plan.count}
    assert set(first.cosines) == predicted


def test_the_best_candidate_is_kept(runtime):
    heard = []
    runtime.similarity = lambda audio, *each: heard.append(audio) or np.array([0.1, 0.9] * 2)
    scene = Scene(runtime, seconds=(2.0,), mask_from="target", best_of=2)
    (sounds,) = scene.generator.generate(list(scene.states[0].windows()))
    size = heard[0].shape[1]
    for row, number in ((1, 0), (3, 1)):
        np.testing.assert_array_equal(sounds[number].target[:size], heard[0][row])


def test_absent_targets_are_not_generated(runtime):
    scene = Scene(runtime, seconds=(2.0,))
    (state,) = scene.states
    state.present = [1]
    (sounds,) = scene.generator.generate(list(state.windows()))
    assert list(sounds) == [1] and set(state.tokens) == {ASKED[1], ASKED[1].opposite}


@pytest.mark.parametrize(("cache_bytes", "encoded"), [(1 << 20, 2), (600, 3), (0, 4)])
def test_features_are_kept_within_their_bytes(cache_bytes, encoded, runtime):
    """A window's S takes 129 floats: 600 bytes hold one of two."""
    calls = []
    inner = runtime.encode_audio
    runtime.encode_audio = lambda audio: calls.append(len(audio)) or inner(audio)
    scene = Scene(runtime, cache_bytes=cache_bytes)
    windows = list(scene.states[0].windows())
    scene.generator.survey(windows)
    scene.states[0].surveyed = True
    scene.generator.generate(windows)
    assert sum(calls) == encoded


def test_what_is_forgotten_is_computed_again(runtime):
    calls = []
    inner = runtime.encode_audio
    runtime.encode_audio = lambda audio: calls.append(len(audio)) or inner(audio)
    scene = Scene(runtime)
    windows = list(scene.states[0].windows())
    scene.generator.survey(windows)
    scene.generator.forget(0)
    scene.generator.generate(windows)
    assert calls == [2, 2]


def test_a_shared_feature_is_what_is_predicted_with(runtime):
    given = []
    inner = runtime.predict
    runtime.predict = lambda *each: given.append(each[2]) or inner(*each)
    scene = Scene(runtime, seconds=(4.0,), mask_from="target")
    (state,) = scene.states
    state.shared = {each: np.full((1, 1), number) for number, each in enumerate(state.generated)}
    state.surveyed = True
    scene.generator.generate(list(state.windows()))
    assert given[0][:, 0, 0].tolist() == [0.0, 1.0] * 2


def test_candidates_have_seeds_of_their_own(runtime):
    seeds = []
    inner = runtime.sample
    runtime.sample = lambda s, drawn, *each, **more: (
        seeds.extend(map(int, drawn)) or inner(s, drawn, *each, **more)
    )
    scene = Scene(runtime, seconds=(4.0,), mask_from="target", best_of=2, seed=7)
    scene.generator.generate(list(scene.states[0].windows()))
    first, second = [7, 7 + CANDIDATE_STEP], [8, 8 + CANDIDATE_STEP]
    assert seeds == [*first, *first, *second, *second]


def test_clips_are_told_their_own_length(runtime):
    lengths = []
    inner = runtime.sample
    runtime.sample = lambda *each, **more: (
        lengths.extend(more["lengths"].tolist()) or inner(*each, **more)
    )
    scene = Scene(runtime, mask_from="target")
    windows = scene.windows()
    scene.generator.generate(windows)
    assert lengths == [w.used // FRAME + 1 for w in windows for _ in ASKED]


def test_a_continued_window_begins_with_the_tokens_of_the_last(runtime):
    scene = Scene(runtime, seconds=(4.0,), windows="continued", mask_from="target")
    (state,) = scene.states
    first, second = state.windows()
    scene.generator.generate([first])
    before = {query: tokens.copy() for query, tokens in state.tokens.items()}
    scene.generator.generate([second])
    shared, hop = state.plan.overlap // FRAME, state.plan.hop // FRAME
    for query, tokens in state.tokens.items():
        np.testing.assert_array_equal(tokens[:shared], before[query][hop : hop + shared])
