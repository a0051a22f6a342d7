"""``hsmtss visualize embedding``: global features of a data set's clips as a map."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.evaluate.data import DATA
from hsmtss_jax.cli.model import (
    HEADING,
    WINDOWS,
    ModelOptions,
    StageBundles,
    load_bundles,
    on_device,
)
from hsmtss_jax.cli.options import part
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.cli.visualize.options import FigureOptions
from hsmtss_jax.option import option

if TYPE_CHECKING:
    import numpy as np

    from hsmtss_jax.data.sources import Clip, ClipSource

ROLES = ("audio_mae", "q_audio")


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualizeEmbeddingOptions:
    """The command line of ``hsmtss visualize embedding``."""

    figure: FigureOptions = part(FigureOptions)
    data: str = option(DATA, "a prepared data set", metavar="FOLDER")
    split: str = option("test", "of the data set")
    method: Literal["tsne", "pca"] = option("tsne", "of the projection into the plane")
    labels: int = option(12, "the N commonest labels", low=1, metavar="N")
    tags: tuple[str, ...] = option((), "these tags in place of labels", metavar="TAG")
    most: int = option(40, "clips of a group at most", low=1, metavar="N")
    seed: int = option(0, "of the t-SNE", low=0, metavar="N")
    stages: StageBundles = part(StageBundles, only=ROLES)
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)


def run(options: VisualizeEmbeddingOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    from hsmtss_jax.data.sources import ClipSource
    from hsmtss_jax.visualization.embedding import project, save_embedding

    source = ClipSource(options.data, options.split)
    chosen = (
        tagged(source.clips, options.tags)
        if options.tags
        else labelled(source.clips, options.labels)
    )
    rows = [(i, name) for name, clips in chosen.items() for i in clips[: options.most]]
    if len(rows) < 4:
        raise ValueError(f"{len(rows)} clips of {options.data} are too few for a map: it takes 4")
    vectors = _vectors(options, source, [i for i, _ in rows])
    output = options.figure.make_folder()
    projection = project(vectors, options.method, options.seed)
    title = f"global features of {len(rows)} clips, {Path(options.data).name} {options.split}"
    save_embedding(output, projection, [name for _, name in rows], title)
    print(output)
    return 0


def _vectors(
    options: VisualizeEmbeddingOptions, source: "ClipSource", order: list[int]
) -> "np.ndarray":
    """Compute G [n, C] of clips, from one window of each."""
    from hsmtss_jax.evaluation.pooling import fixed_crops, pool
    from hsmtss_jax.evaluation.representation import Representation

    with on_device(options.model) as dtype, progress_bar(len(order), unit="clip") as progress:
        bundles = load_bundles(options.model.ckpt, options.stages, ROLES)
        representation = Representation(bundles, dtype)
        return pool(
            fixed_crops(lambda row: source.audio(order[row]), len(order), representation.window, 1),
            lambda windows, samples: (representation.global_features(windows), samples * 0 + 1),
            len(order),
            options.model.batch,
            progress,
        )


def labelled(clips: "list[Clip]", count: int) -> dict[str, list[int]]:
    """Return the clips of each of the ``count`` commonest labels."""
    from hsmtss_jax.data.sources import by_label

    groups = sorted(by_label(clips).items(), key=lambda item: (-len(item[1]), item[0]))
    return dict(groups[:count])


def tagged(clips: "list[Clip]", tags: tuple[str, ...]) -> dict[str, list[int]]:
    """Return, for each tag, the clips that carry it and none of the others. Raises ValueError."""
    found = {
        tag: [i for i, clip in enumerate(clips) if clip.tags.intersection(tags) == {tag}]
        for tag in tags
    }
    for tag, indices in found.items():
        if not indices:
            raise ValueError(f"no clip carries the tag {tag!r} and none of the others")
    return found


COMMAND = Command(
    description="Draw the global features G of clips in the plane, coloured by label or tag.",
    epilog="example: hsmtss visualize embedding --data corpora/opensounds -o map.png --tags music animal "
    "nature weapon",
    options=VisualizeEmbeddingOptions,
    run=run,
)
