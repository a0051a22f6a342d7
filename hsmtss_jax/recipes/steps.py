"""From a recipe to the commands that carry it out, each with what it needs and what it leaves."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hsmtss_jax.bundles.pipeline import PipelineConfig
from hsmtss_jax.config import ExperimentConfig, load_config
from hsmtss_jax.conversion import override
from hsmtss_jax.recipes.recipe import PipelineStep, RecipeConfig, StageStep

COMMAND = ("-m", "hsmtss_jax")
MATERIALS = ("-m", "hsmtss_jax.recipes.materials")
FEATURES, PIPELINE, SCORES, CORPUS, TEXT = (
    *("features", "pipeline", "scores"),
    *("corpus", "text_encoder"),
)
SHIPPED = Path(__file__).parents[1] / "assets" / "demo"


@dataclasses.dataclass(frozen=True)
class Step:
    """Hold a command of a recipe.

    Attributes:
      name: of the step, and of its folder in the workdir.
      words: the command line, behind the Python interpreter.
      output: the file or folder that is there when the step is done.
      needs: names of the steps before it.
      share: of a time budget.
      experiment: the config of a training; None for another command, which one host alone runs.
      upstream: of a training, name -> folder of the bundle that it reads.
    """

    name: str
    words: tuple[str, ...]
    output: Path
    needs: tuple[str, ...] = ()
    share: float = 0.0
    experiment: ExperimentConfig | None = None
    upstream: Mapping[str, Path] = dataclasses.field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Return whether the output is there. All are written under a temporary name."""
        return self.output.exists()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Materials:
    """Hold what a recipe is run with.

    Attributes:
      size: of all configs.
      workdir: where everything goes.
      data: a data set in place of the configs' own; None leaves these.
      text_encoder: a bundle in place of the recipe's.
      overrides: ``path=value`` of every training, or ``CONFIG.path=value`` of one.
      base: workdir of a finished recipe, whose bundles stand for those of stages that are not trained here.
    """

    size: str
    workdir: Path
    data: str | None = None
    text_encoder: Path | None = None
    overrides: tuple[str, ...] = ()
    base: Path | None = None


def steps_of(recipe: RecipeConfig, given: Materials) -> list[Step]:
    """Return the steps of a recipe, in an order in which each finds what it needs.

    Raises:
      ValueError: a config or an override that does not fit, no text encoder.
      OSError: a data set or a text encoder that is not there.
    """
    maker = _Maker(recipe, given)
    steps = [*maker.materials()]
    for stage in recipe.stages:
        steps.append(maker.training(stage))
        if stage.config == "audio_mae" and recipe.features.train:
            steps.append(maker.features())
    if recipe.pipeline is not None:
        steps += [maker.pipeline(recipe.pipeline), maker.scores(recipe.pipeline)]
    known = {step.name for step in steps}
    return [
        dataclasses.replace(step, needs=tuple(name for name in step.needs if name in known))
        for step in steps
    ]


def chosen(steps: Iterable[Step], only: tuple[str, ...] = (), start: str = "") -> list[Step]:
    """Return the steps named by ``only`` (all, where empty), from ``start`` on; the rest must be done.

    Raises ValueError for an unknown name, or where what a step needs is neither chosen nor done.
    """
    steps = list(steps)
    names = [step.name for step in steps]
    for name in (*only, *([start] if start else [])):
        if name not in names:
            raise ValueError(f"no step {name!r} in this recipe: choose of {', '.join(names)}")
    behind = names[names.index(start) :] if start else names
    kept = [step for step in steps if step.name in behind and (not only or step.name in only)]
    there = {step.name for step in kept} | {step.name for step in steps if step.done}
    for step in kept:
        if lacking := [name for name in step.needs if name not in there and not step.done]:
            raise ValueError(f"{step.name} needs {lacking[0]}, which is not done: choose it too")
    return kept


def check_upstream(step: Step) -> None:
    """Raise ValueError where a finished training stands on other bundles than are there now."""
    if step.experiment is None or not step.done:
        return
    trained = _header(step.output)["upstream"]
    for name, folder in step.upstream.items():
        if folder.exists() and name in trained and _header(folder)["digest"] != trained[name]:
            raise ValueError(
                f"{step.output.parent} was trained on another {name} than {folder}: delete it to train it "
                "again, or choose another workdir"
            )


def _header(folder: Path) -> Mapping[str, Any]:
    return json.loads((folder / "bundle.json").read_text(encoding="utf-8"))


class _Maker:
    """Make the steps of one recipe in one workdir."""

    def __init__(self, recipe: RecipeConfig, given: Materials) -> None:
        self.recipe, self.given, self.workdir = recipe, given, given.workdir
        self.base = given.base or given.workdir  # of what is not made here
        self.configs = {stage.config for stage in recipe.stages}
        self.synthetic = not (given.data or recipe.data)
        self.data = given.data or recipe.data or str(self.base / CORPUS)
        self.text_encoder = self._text_encoder()

    def materials(self) -> Iterable[Step]:
        """Yield the steps that make what a tiny recipe begins with."""
        if self.given.base is not None:
            return
        if self.synthetic:
            corpus = self.workdir / CORPUS
            yield Step(CORPUS, (*MATERIALS, "corpus", str(corpus)), corpus)
        if self.given.text_encoder is None and self.recipe.text_encoder == "random":
            words = (*MATERIALS, "text_encoder", str(self.text_encoder), self.given.size)
            yield Step(TEXT, words, self.text_encoder)

    def training(self, stage: StageStep) -> Step:
        """Return the step that trains a stage."""
        config = load_config(stage.config, self.given.size, ExperimentConfig)
        sources = {name: stage.upstream.get(name, name) for name in config.upstream}
        upstream = {name: self._bundle(source) for name, source in sources.items()}
        changes = [
            *self._data(config),
            *stage.overrides,
            *self._overrides(stage.config),
            *(f"upstream.{name}={folder}" for name, folder in upstream.items()),
        ]
        config = override(config, changes)
        self._check_data(config.data.root)
        folder = self.workdir / stage.config
        options = ("--size", self.given.size, "--workdir", str(folder))
        needs = [*sources.values(), CORPUS]
        needs += [FEATURES] if config.data.root == str(self._features()) else []
        return Step(
            name=stage.config,
            words=(*COMMAND, "train", stage.config, *options, *changes),
            output=folder / "bundle",
            needs=tuple(needs),
            share=stage.share,
            experiment=config,
            upstream=upstream,
        )

    def features(self) -> Step:
        """Return the step that computes the mixtures' features."""
        features, out = self.recipe.features, self.workdir / FEATURES
        options = {
            "data": self.data,
            "samples": features.samples,
            "train": features.train,
            "validation": features.validation,
            "audio-mae": self._bundle("audio_mae"),
        }
        words = (*COMMAND, "precompute", str(out), *(f"--{k}={v}" for k, v in options.items()))
        return Step(FEATURES, words, out, ("audio_mae", CORPUS), features.share)

    def pipeline(self, step: PipelineStep) -> Step:
        """Return the step that assembles the pipeline."""
        out = self.workdir / PIPELINE
        config = override(
            load_config("pipeline", self.given.size, PipelineConfig), list(step.overrides)
        )
        sources = {role: step.upstream.get(role, role) for role in config.roles}
        paths = [f"bundles.{role}={self._bundle(source)}" for role, source in sources.items()]
        options = ("--size", self.given.size)
        words = (*COMMAND, "export", "pipeline", str(out), *options, *step.overrides, *paths)
        return Step(PIPELINE, words, out, tuple(sources.values()))

    def scores(self, step: PipelineStep) -> Step:
        """Return the step that scores the pipeline."""
        out = self.workdir / f"{SCORES}.json"
        options = (f"--ckpt={self.workdir / PIPELINE}", f"--data={self.data}")
        words = (*COMMAND, "evaluate", "separation", *options, f"--count={step.pairs}")
        return Step(SCORES, (*words, *step.options, "-o", str(out)), out, (PIPELINE,), step.share)

    def _bundle(self, source: str) -> Path:
        """Return where the bundle of a step is: made here, the text encoder's, or the base's."""
        if source == TEXT:
            return self.text_encoder
        if source in self.configs:
            return self.workdir / source / "bundle"
        path = self.base / source / "bundle"
        if self.given.base is not None and not path.is_dir():
            raise FileNotFoundError(
                f"no bundle at {path}: finish hsmtss recipe --workdir {self.base} first"
            )
        return path

    def _text_encoder(self) -> Path:
        given, named = self.given.text_encoder, self.recipe.text_encoder
        path = given or (SHIPPED / TEXT if named == "demo" else self.base / TEXT / "bundle")
        if given is None and not named:
            raise ValueError(
                "this recipe takes a text encoder: hsmtss import text_encoder google/flan-t5-base -o FOLDER, "
                "then --text-encoder FOLDER"
            )
        if (given or named == "demo") and not (path / "bundle.json").is_file():
            raise FileNotFoundError(f"no bundle at {path}: give another --text-encoder")
        return path

    def _data(self, config: ExperimentConfig) -> list[str]:
        """Return the overrides that say where a stage finds its examples."""
        changes = []
        features = self.recipe.features
        if features.train and config.data.root == features.root:
            changes.append(f"data.root={self._features()}")
        elif self.synthetic or self.given.data:
            changes.append(f"data.root={self.data}")
        if config.data.text_cache:
            changes.append(f"data.text_cache={self.workdir / 'text_features'}")
        return changes

    def _overrides(self, config: str) -> list[str]:
        """Return the given overrides that are meant for a config, without its name."""
        found = []
        for each in self.given.overrides:
            head, _, rest = each.partition(".")
            if head not in self.configs:
                found.append(each)
            elif head == config:
                found.append(rest)
        return found

    def _features(self) -> Path:
        return (self.workdir if "audio_mae" in self.configs else self.base) / FEATURES

    def _check_data(self, root: str) -> None:
        if not Path(root).is_relative_to(self.workdir) and not Path(root).exists():
            raise FileNotFoundError(
                f"no data set at {root}: prepare it (docs/data.md) or give --data FOLDER"
            )
