r"""Write mixtures to disk: ArrayRecord in TFDS layout, readable by the pipeline that mixes on the fly.

    python data/mixtures/prepare.py --root corpora/opensounds --out corpora/mixtures \
        --samples 40960 --train 20000 --validation 500 --test 500

Then train with ``data.root=corpora/mixtures``. A record keeps the captions of both clips, so task and
text are still drawn at each step; clips, places, SNR and augmentation are fixed. 40960 samples take
164 KB a mixture, 160000 take 640 KB.
"""

import argparse
import shlex
from pathlib import Path

from hsmtss_jax.cli.progress import progress_bar
from hsmtss_jax.config import DataConfig
from hsmtss_jax.data.preparation.beam import on_beam
from hsmtss_jax.data.preparation.mixtures import Draws, write_mixtures
from hsmtss_jax.data.preparation.workers import Runner, in_processes, run_here


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path("corpora/opensounds"))
    parser.add_argument("--out", type=Path, default=Path("corpora/mixtures"))
    parser.add_argument("--samples", type=int, default=160000, help="of a window, at 16 kHz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-augment", action="store_true", help="leave training clips as they are"
    )
    for split, count in (("train", 20000), ("validation", 500), ("test", 500)):
        parser.add_argument(f"--{split}", type=int, default=count, help="mixtures")
    parser.add_argument("--processes", type=int, default=1, help="that mix")
    parser.add_argument(
        "--beam", default="", help="run on Apache Beam with these arguments of its own"
    )
    parser.add_argument(
        "--work", default="", help="place of unfinished parts that all workers reach"
    )
    args = parser.parse_args(argv)
    config = DataConfig(root=str(args.root), augment=not args.no_augment)
    counts = {name: getattr(args, name) for name in ("train", "validation", "test")}
    runner = on_beam(shlex.split(args.beam)) if args.beam else in_processes(args.processes)
    prepare(config, args.out, counts, args.samples, args.seed, runner, args.work)


def prepare(
    config: DataConfig,
    out: Path,
    counts: dict[str, int],
    samples: int,
    seed: int,
    runner: Runner = run_here,
    work: str = "",
) -> None:
    """Write ``counts[split]`` mixtures of each split (none for 0).

    Args:
      config: of the data set to mix.
      out: folder to write.
      counts: split -> number of mixtures.
      samples: L.
      seed: of all randomness.
      runner: does the jobs.
      work: folder or address of the parts of an unfinished set [beside ``out``].
    """
    with progress_bar(unit="mixture") as progress:
        draws = Draws(config, counts, samples, seed)
        write_mixtures(out, draws, runner, work=work, progress=progress)


if __name__ == "__main__":
    main()
