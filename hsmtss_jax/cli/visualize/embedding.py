"""``hsmtss visualize embedding``: global features of a data set's clips as a map (Fig. 5)."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsmtss_jax.cli.clips import SplitOptions
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.model import (
    HEADING,
    WINDOWS,
    ModelOptions,
    StageBundles,
    load_bundles,
    on_device,
)
from hsmtss_jax.cli.options import part
from hsmtss_jax.cli.progress import counted, progress_bar
from hsmtss_jax.cli.visualize.options import FigureOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    import numpy as np

    from hsmtss_jax.data.sources import ClipSource

ROLES = ("audio_mae", "q_audio")


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualizeEmbeddingOptions(SplitOptions):
    """Declare the command line of ``hsmtss visualize embedding``."""

    figure: FigureOptions = part(FigureOptions)
    predicted: bool = option(
        False, "mix each clip with another and draw what is predicted for it as well (Fig. 5)"
    )
    method: Literal["tsne", "pca"] = option("tsne", "of the projection into the plane")
    labels: int = option(12, "the N commonest labels", low=1, metavar="N")
    tags: tuple[str, ...] = option((), "these tags in place of labels", metavar="TAG")
    most: int = option(40, "clips of a group at most", low=1, metavar="N")
    seed: int = option(0, "of the mixtures and the t-SNE", low=0, metavar="N")
    stages: StageBundles = part(StageBundles, only=ROLES)
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)

    def __post_init__(self) -> None:
        if self.predicted and (self.stages.audio_mae or self.stages.q_audio):
            raise ValueError("--predicted needs a whole pipeline: give --ckpt alone")


def run(options: VisualizeEmbeddingOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    import numpy as np

    from hsmtss_jax.data.sources import ClipSource
    from hsmtss_jax.evaluation.global_features import clips_by_label, clips_by_tag
    from hsmtss_jax.visualization.embedding import project, save_embedding

    source = ClipSource(options.data, options.split)
    chosen = (
        clips_by_tag(source.clips, options.tags)
        if options.tags
        else clips_by_label(source.clips, options.labels)
    )
    rows = [(i, name) for name, clips in chosen.items() for i in clips[: options.most]]
    if len(rows) < 4:
        raise ValueError(f"{len(rows)} clips of {options.data} are too few for a map: it takes 4")
    embed = _of_mixtures if options.predicted else _of_clips
    vectors = embed(options, context, source, [i for i, _ in rows])
    output = options.figure.make_folder()
    projection = project(np.concatenate(vectors), options.method, options.seed)
    groups = [name for _, name in rows] * len(vectors)
    predicted = [i >= len(rows) for i in range(len(groups))] if options.predicted else None
    title = f"global features of {len(rows)} clips, {Path(options.data).name} {options.split}"
    save_embedding(output, projection, groups, title, predicted=predicted)
    print(output)
    return 0


def _of_clips(
    options: VisualizeEmbeddingOptions, context: Context, source: "ClipSource", order: list[int]
) -> "list[np.ndarray]":
    """Compute G [n, C] of clips, from one window of each."""
    from hsmtss_jax.evaluation.pooling import fixed_crops, pool
    from hsmtss_jax.evaluation.representation import Representation

    with on_device(options.model) as dtype, progress_bar(len(order), unit="clip") as progress:
        bundles = load_bundles(options.model.ckpt, options.stages, ROLES)
        representation = Representation(bundles, dtype)
        vectors = pool(
            fixed_crops(lambda row: source.audio(order[row]), len(order), representation.window, 1),
            lambda windows, samples: (representation.global_features(windows), samples * 0 + 1),
            len(order),
            options.model.batch,
            progress,
        )
        return [vectors]


def _of_mixtures(
    options: VisualizeEmbeddingOptions, context: Context, source: "ClipSource", order: list[int]
) -> "list[np.ndarray]":
    """Compute the true and the predicted G [n, C] of clips, each in a mixture with another."""
    from hsmtss_jax.cli.compilation_cache import enable_compilation_cache
    from hsmtss_jax.config import DataConfig
    from hsmtss_jax.data.drawn_mixtures import mixtures_of
    from hsmtss_jax.evaluation.global_features import global_features
    from hsmtss_jax.inference.pretrained import hierarchical

    enable_compilation_cache()
    model = options.model
    system = context.load_runtime(model.ckpt, model.dtype, model.device, model.batch)
    runtime = hierarchical(system)
    data = DataConfig(root=options.data, augment=False)
    examples = mixtures_of(data, options.split, options.seed, order, samples=runtime.window)
    with progress_bar(len(order), unit="mixture") as progress:
        found = global_features(runtime, counted(examples, len(order), progress))
    return [found.true, found.predicted]


COMMAND = Command(
    description="Draw the global features G of clips in the plane, coloured by label or tag; with "
    "--predicted those that the separators predict from mixtures as well (the paper's Fig. 5).",
    epilog="example: hsmtss visualize embedding --data corpora/opensounds -o map.png --tags music animal "
    "nature weapon",
    options=VisualizeEmbeddingOptions,
    run=run,
)
