"""One call: recordings in any number, outcomes in their order, failures in their places."""

import contextlib
import functools

import numpy as np
import pytest

from hsmtss_jax.audio.windows import plan_windows
from hsmtss_jax.inference.engine import Engine
from hsmtss_jax.inference.options import Failed, SeparateOptions, SeparationReport, TargetAbsent
from hsmtss_jax.inference.recording import open_recording
from hsmtss_jax.inference.stems import Stems
from hsmtss_jax.instructions import Instruction
from hsmtss_jax.instructions.spans import read_span
from hsmtss_jax.testing.fake_runtime import FRAME, WINDOW

RATE = 16_000
ASKED = [Instruction("extract", "dog"), Instruction("remove", "rain")]
PLAN = functools.partial(plan_windows, window=WINDOW, overlap=WINDOW // 4, unit=FRAME)


def noise(seconds, seed=0):
    rng = np.random.default_rng(seed)
    samples = (0.1 * rng.normal(size=round(seconds * RATE))).astype(np.float32)
    return open_recording(samples, RATE)


class Counter:
    """A sink and its writers: counts samples; may refuse at the end, as a full disk would."""

    def __init__(self, refuses: bool = False) -> None:
        self.samples, self.opened, self.state, self._refuses = 0, [], "closed", refuses

    @contextlib.contextmanager
    def open(self, recording, prompts):
        self.opened, self.state = list(prompts), "open"
        try:
            yield {number: Stems(self) for number in prompts}
            self.state = "complete"
        except BaseException:
            self.state = "left"
            raise
        if self._refuses:
            raise OSError("the disk is full")

    def write(self, samples):
        self.samples += len(samples)


def run(runtime, recordings, sinks=None, asked=ASKED, progress=None, **options):
    """The outcomes of every recording."""
    chosen = SeparateOptions(**options)
    engine = Engine(runtime, chosen, [asked] * len(recordings), PLAN, progress)
    sinks = sinks or [Counter() for _ in recordings]
    return list(engine.run(recordings, sinks))


@pytest.mark.parametrize("windows", ["independent", "continued"])
@pytest.mark.parametrize("batch", [1, 4, 16])
def test_outcomes_are_in_order_whatever_the_batch(windows, batch, runtime):
    runtime.batch = batch
    recordings = [noise(5.0), noise(1.0), noise(3.0)]
    sinks, steps = [Counter() for _ in recordings], []
    outcomes = run(
        runtime, recordings, sinks, progress=lambda *each: steps.append(each), windows=windows
    )
    for recording, sink, reports in zip(recordings, sinks, outcomes, strict=True):
        assert [report.instruction for report in reports] == ASKED
        assert {report.samples for report in reports} == {recording.length}
        assert sink.samples == 2 * recording.length and sink.state == "complete"
    assert steps[-1] == (6, 6) and [done for done, _ in steps] == sorted({d for d, _ in steps})


def test_no_more_sounds_at_once_than_the_batch(runtime):
    rows = []
    inner = runtime.decode_tokens
    runtime.decode_tokens = lambda tokens, *each, **more: (
        rows.append(len(tokens)) or inner(tokens, *each, **more)
    )
    run(runtime, [noise(8.0), noise(4.0)], asked=ASKED[:1])
    assert max(rows) <= runtime.batch and sum(rows) == 2 * (4 + 2)
    rows.clear()
    run(runtime, [noise(8.0)], asked=ASKED[:1], mask_from="target", best_of=2)
    assert max(rows) <= runtime.batch and sum(rows) == 2 * 4


def test_what_cannot_be_read_fails_in_its_place(runtime):
    broken = Failed(OSError("no such file"))
    silent = open_recording(np.zeros(RATE, np.float32), RATE)
    first, second, third = run(runtime, [broken, noise(1.0), silent])
    assert first == [broken, broken]
    assert all(isinstance(each, SeparationReport) for each in second)
    assert all("silent" in str(each.error) for each in third)


def test_a_sink_that_fails_takes_its_own_recording_along(runtime):
    good, full = Counter(), Counter(refuses=True)
    first, second = run(runtime, [noise(1.0), noise(1.0)], [full, good])
    assert all(str(each.error) == "the disk is full" for each in first)
    assert all(isinstance(each, SeparationReport) for each in second)


def test_an_absent_target_opens_no_sink(runtime):
    sink = Counter()
    (outcomes,) = run(runtime, [noise(1.0)], [sink], min_presence=1.0)
    assert all(isinstance(each.error, TargetAbsent) for each in outcomes)
    assert sink.state == "closed"


def test_only_present_targets_are_separated(runtime):
    """The fake's scores depend on the words: a bound between two keeps one."""
    reports = run(runtime, [noise(1.0)])[0]
    scores = [report.presence.score for report in reports]
    sink = Counter()
    (outcomes,) = run(runtime, [noise(1.0)], [sink], min_presence=float(np.mean(scores)))
    present = int(np.argmax(scores))
    assert sink.opened == [present]
    assert isinstance(outcomes[present], SeparationReport)
    assert isinstance(outcomes[1 - present].error, TargetAbsent)


def test_a_broken_call_leaves_its_sinks(runtime):
    def stop(done, total):
        raise KeyboardInterrupt

    sink = Counter()
    with pytest.raises(KeyboardInterrupt):
        run(runtime, [noise(30.0)], [sink], progress=stop)
    assert sink.state == "left"


def test_a_span_outside_the_recording_fails_alone(runtime):
    early = Instruction("remove", "rain", spans=(read_span("1-2"),))
    late = Instruction("remove", "rain", spans=(read_span("60-70"),))
    ((done, failed),) = run(runtime, [noise(3.0)], asked=[early, late])
    assert isinstance(done, SeparationReport) and done.instruction.limits == "0:01-0:02"
    assert isinstance(failed, Failed) and "lies outside the recording" in str(failed.error)


def test_what_is_far_from_the_span_is_not_separated(runtime):
    middle = Instruction("remove", "rain", spans=(read_span("15-16"),))
    sink = Counter()
    ((report,),) = run(runtime, [noise(30.0)], [sink], asked=[middle])
    ((whole,),) = run(runtime, [noise(30.0)], asked=[Instruction("remove", "rain")])
    assert report.windows <= 3 < whole.windows
    assert report.samples == whole.samples == sink.samples == 30 * RATE
