"""A recipe of two stages on a folder that stands for a data set, and commands that only pretend."""

import json
from pathlib import Path

import pytest

from hsmtss_jax.recipes.recipe import PipelineStep, RecipeConfig, StageStep
from hsmtss_jax.recipes.steps import Materials, steps_of


@pytest.fixture
def recipe() -> RecipeConfig:
    return RecipeConfig(
        stages=(
            StageStep(config="audio_mae", share=3.0),
            StageStep(config="q_audio", share=1.0),
            StageStep(config="tf_codec", share=2.0),
        ),
        text_encoder="random",
        pipeline=PipelineStep(share=0.0),
    )


@pytest.fixture
def given(tmp_path) -> Materials:
    return Materials(size="tiny", workdir=tmp_path / "run")


@pytest.fixture
def steps(recipe, given):
    return steps_of(recipe, given)


class Pretended:
    """A command that ends at once; what it leaves is written when it is asked."""

    def __init__(self, status: int) -> None:
        self.status = status

    def poll(self) -> int:
        return self.status

    def stop(self) -> None:
        raise AssertionError("it has ended")


class Launcher:
    """Note command lines, and leave what their steps promise; statuses by step come first."""

    def __init__(self, steps, statuses=None, speed=5.0) -> None:
        self.steps = {step.words: step for step in steps}
        self.statuses = {name: list(them) for name, them in (statuses or {}).items()}
        self.speed = speed
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, words, log) -> Pretended:
        step = next(s for w, s in self.steps.items() if tuple(words)[: len(w)] == w)
        extra = tuple(words)[len(step.words) :]
        self.calls.append((step.name, extra))
        log.write_text("first\nthe reason\n")
        status = self.statuses.get(step.name, [])
        if status and (code := status.pop(0)):
            return Pretended(code)
        if any(word.startswith("--stop-at") for word in extra):
            metrics = step.output.parent / "metrics.jsonl"
            metrics.parent.mkdir(parents=True, exist_ok=True)
            rows = [{"step": 5, "speed/steps_per_second": 0.1}]
            rows += [{"step": 10, "speed/steps_per_second": self.speed}]
            metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            leave(step)
        return Pretended(0)


def leave(step, digest: str = "") -> None:
    """Write what says that a step is done."""
    if step.output.suffix == ".json":
        step.output.write_text("{}")
        return
    step.output.mkdir(parents=True)
    upstream = {
        name: json.loads((folder / "bundle.json").read_text())["digest"]
        for name, folder in step.upstream.items()
        if (folder / "bundle.json").is_file()
    }
    header = {"digest": digest or step.name, "upstream": upstream}
    Path(step.output, "bundle.json").write_text(json.dumps(header))
