"""Build the lossless opensounds corpus, 16 kHz mono FLAC, from the Debian packages in clips.csv.gz.

    python data/opensounds/make_corpus.py --out opensounds_build --work opensounds_work

Packages are downloaded with ``apt-get download`` and unpacked with ``dpkg-deb -x``; nothing is
installed. Musical instruments are rendered from free sound fonts. Needs apt-get, dpkg-deb, ffmpeg (for
g722) and fluidsynth on the host, and the ``prepare`` extra. 4.9 GB of downloads (``--exclude 0ad-data``:
3.5 GB), then about ten minutes on two cores.

OUT/SPLIT/LABEL/ID.flac, OUT/metadata.csv (a row a file), OUT/totals.json, OUT/ATTRIBUTION.csv; then
run ``prepare.py --build OUT``.
"""

import argparse
import csv
import gzip
import json
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpus_build.composites import make_composites
from corpus_build.instruments import INSTRUMENTS, SOUNDFONTS, render_instrument
from corpus_build.packages import fetch
from corpus_build.recordings import COLUMNS, Meta, Row, take_recordings

CLIPS_PER_JOB = 400


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = _arguments(argv)
    begin = time.time()
    rows = read_clips(args.clips, args.exclude, args.exclude_licence, args.only)
    fonts = {} if args.no_instruments else SOUNDFONTS
    roots, versions = _fetch_all(rows, fonts, args.work)
    meta, failed = take_all(rows, roots, args.out, args.seed, args.jobs)
    for failure in failed[:20]:
        print("failed:", *failure, file=sys.stderr)
    seconds = {"train": args.seconds_train, "test": args.seconds_test}
    meta += _render_all(fonts, roots, seconds, args)
    meta.sort(key=lambda row: row["file"])
    _write_tables(Path(args.out), meta, versions)
    totals = _totals(meta) | {"failed": len(failed), "took_seconds": round(time.time() - begin)}
    (Path(args.out) / "totals.json").write_text(json.dumps(totals, indent=1))
    print(json.dumps({key: value for key, value in totals.items() if key != "labels"}, indent=1))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clips", type=Path, default=Path(__file__).with_name("clips.csv.gz"))
    add("--out", default="opensounds_build")
    add("--work", default="opensounds_work", help="downloads and unpacked packages, kept")
    add("--only", default="", help="comma-separated packages: no others")
    add("--exclude", default="", help="comma-separated packages to leave out (0ad-data: 1.4 GB)")
    add("--exclude-licence", default="", help="regular expression: leave out what matches")
    add("--no-instruments", action="store_true", help="render none: no sound fonts, no fluidsynth")
    add("--seconds-train", type=float, default=150.0, help="rendered per instrument, all fonts")
    add("--seconds-test", type=float, default=40.0)
    add("--seed", type=int, default=7)
    add("--jobs", type=int, default=os.cpu_count() or 2)
    return parser.parse_args(argv)


def read_clips(path: Path, exclude: str = "", licence: str = "", only: str = "") -> list[Row]:
    """Read the rows of clips.csv or clips.csv.gz that are not excluded."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    drop, keep = set(filter(None, exclude.split(","))), set(filter(None, only.split(",")))
    return [
        row
        for row in rows
        if row["package"] not in drop
        and (not keep or row["package"] in keep)
        and not (licence and re.search(licence, row["licence"]))
    ]


def _fetch_all(
    rows: Sequence[Row], fonts: Mapping[str, Sequence[tuple[str, str, str]]], work: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Fetch every package needed -> its folder and its version, by name."""
    names = {row["package"] for row in rows} | {font[0] for part in fonts.values() for font in part}
    print(f"fetching {len(names)} packages", flush=True)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda name: fetch(name, work), sorted(names)))
    wanted = {row["package"]: row["version"] for row in rows}
    for name, version, _ in got:
        if wanted.get(name, version) != version:
            print(f"note: {name} is {version} here, the list was made with {wanted[name]}")
    return {name: root for name, _, root in got}, {name: version for name, version, _ in got}


def take_all(
    rows: Sequence[Row], roots: Mapping[str, str], out: str, seed: int, jobs: int
) -> tuple[list[Meta], list[tuple[str, ...]]]:
    """Extract recordings and composites of all packages -> metadata, failures.

    Args:
      rows: of clips.csv.
      roots: package -> folder.
      out: folder to write.
      seed: of the composites.
      jobs: number of processes.
    """
    plain: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.get("kind") != "part":
            plain[row["package"]].append(row)
    work = [
        (roots[package], part[i : i + CLIPS_PER_JOB], out)
        for package, part in plain.items()
        for i in range(0, len(part), CLIPS_PER_JOB)
    ]
    work.sort(key=lambda job: -len(job[1]))
    meta: list[Meta] = []
    failed: list[tuple[str, ...]] = []
    with ProcessPoolExecutor(jobs) as pool:
        for done, broken in pool.map(take_recordings, work):
            meta += done
            failed += broken
    parts = [row for row in rows if row.get("composite")]
    if parts:
        used = {row["package"]: roots[row["package"]] for row in parts}
        meta += make_composites(used, parts, out, seed)
    print(f"{len(meta)} files from recordings, {len(failed)} failed", flush=True)
    return meta, failed


def _render_all(
    fonts: Mapping[str, Sequence[tuple[str, str, str]]],
    roots: Mapping[str, str],
    seconds: Mapping[str, float],
    args: argparse.Namespace,
) -> list[Meta]:
    work = [
        (str(path), package, licence, instrument, split, seconds[split] / len(part))
        for split, part in fonts.items()
        for package, file, licence in part
        for path in [_font(Path(roots[package]), file)]
        for instrument in INSTRUMENTS
    ]
    jobs = [(*job, args.seed, args.out, args.work) for job in work]
    if not jobs:
        return []
    with ProcessPoolExecutor(args.jobs) as pool:
        return [row for rows in pool.map(render_instrument, jobs, chunksize=4) for row in rows]


def _font(root: Path, file: str) -> Path:
    """Return the sound font at ``file``, or the largest one of the package if it has moved."""
    if (root / file).is_file():
        return root / file
    found = [path for path in root.rglob("*") if path.suffix.lower() == ".sf2" and path.is_file()]
    if not found:
        raise OSError(f"no sound font in {root}")
    return max(found, key=lambda path: (path.name == Path(file).name, path.stat().st_size))


def _write_tables(out: Path, meta: Sequence[Meta], versions: Mapping[str, str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(meta)
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in meta:
        sources[row["package"], row["licence"]].add(row["source"])
    with open(out / "ATTRIBUTION.csv", "w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["package", "version", "licence", "sources", "copyright file"])
        for (package, licence), names in sorted(sources.items()):
            copyright_file = f"usr/share/doc/{package}/copyright"
            lines.writerow(
                [package, versions.get(package, ""), licence, len(names), copyright_file]
            )


def _totals(meta: Sequence[Meta]) -> dict[str, Any]:
    def hours(rows: Iterable[Meta]) -> float:
        return round(sum(row["seconds"] for row in rows) / 3600, 3)

    splits = sorted({row["split"] for row in meta})
    return {
        "files": len(meta),
        "hours": {split: hours(row for row in meta if row["split"] == split) for split in splits},
        "kinds": dict(Counter(row["kind"] for row in meta)),
        "labels": dict(sorted(Counter(row["label"] for row in meta).items())),
    }


if __name__ == "__main__":
    main()
