"""``hsmtss evaluate captioning``: GPT-2 describes held-out clips from a linear prefix."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from hsmtss_jax.cli.clips import ClipOptions, Clips, read_clips
from hsmtss_jax.cli.command import Command
from hsmtss_jax.cli.context import Context
from hsmtss_jax.cli.describe import SentenceOptions
from hsmtss_jax.cli.evaluate.report import ReportOptions, check_output, write_report
from hsmtss_jax.cli.model import (
    HEADING,
    WINDOWS,
    ModelOptions,
    StageBundles,
    load_bundles,
    on_device,
)
from hsmtss_jax.cli.options import flat, part
from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.option import option

if TYPE_CHECKING:
    from hsmtss_jax.inference.captioner import Captioner

ROLES = ("audio_mae", "q_audio", "gpt2", "captioner")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateCaptioningOptions(ClipOptions, SentenceOptions):
    """Declare the command line of ``hsmtss evaluate captioning``."""

    max_tokens: int = option(67, "of a sentence", low=1, metavar="N")  # references can be long
    report: ReportOptions = part(ReportOptions)
    stages: StageBundles = part(StageBundles, only=ROLES)
    model: ModelOptions = part(ModelOptions, HEADING, without=WINDOWS)


def run(options: EvaluateCaptioningOptions, context: Context) -> int:
    """Run the command and return its status; errors of input are raised as ValueError or OSError."""
    check_output(options.report)
    from hsmtss_jax.evaluation import captioning
    from hsmtss_jax.inference.captioner import Captioner

    captioning.check_extra()
    clips = read_clips(options)
    with on_device(options.model) as dtype:
        captioner = Captioner(load_bundles(options.model.ckpt, options.stages, ROLES), dtype)
        texts = _write(options, captioner, clips)
    references = [clip.captions for clip in clips.known]
    results = {
        "captioner": captioning.score(texts, references),
        "another clip's caption": captioning.score(
            captioning.shuffled_captions(references, seed=0), references
        ),
    }
    captions = dict(zip([clip.id for clip in clips.known], texts, strict=True))
    report = captioning.report(results, captions, references, flat(options))
    write_report(options.report, report)
    return 0


def _write(options: EvaluateCaptioningOptions, captioner: "Captioner", clips: Clips) -> list[str]:
    """Write a caption a clip, from one window of it: its middle, or all of a shorter one."""
    from hsmtss_jax.evaluation.pooling import fixed_crops
    from hsmtss_jax.sampling import batches

    source, order, batch = clips.source, clips.order, options.model.batch
    windows = fixed_crops(
        lambda row: source.audio(order[row]), len(order), captioner.window, crops=1
    )
    texts: list[str] = []
    with progress_bar(len(order), unit="clip") as progress:
        for part in batches(windows, batch):
            audio = np.stack([window.audio for window in part])
            texts += captioner.caption(
                audio, batch=batch, beams=options.beams, tokens=options.max_tokens
            )
            progress(len(texts), len(order))
    return texts


COMMAND = Command(
    description="METEOR, CIDEr-D, SPICE and SPIDEr of beam-searched captions (Table VI). The captioner is "
    "trained with: hsmtss train configs/captioner.py. Scoring needs the extra caption. A row beside it "
    "scores captions of other clips, drawn at random.",
    epilog="examples: hsmtss evaluate captioning; hsmtss evaluate captioning --gpt2 runs/gpt2/bundle "
    "--captioner runs/captioner/bundle --data corpora/clotho",
    options=EvaluateCaptioningOptions,
    run=run,
)
