"""Build the second part of opensounds, lossless, from the repositories in repositories.csv.gz.

    python data/opensounds/rebuild.py --out repositories_build --work repositories_work

Every repository is fetched with git at the commit of the list, only the files that are needed, and cut
where the list says. Needs git, the ``prepare`` extra, and ffmpeg for some m4a files. A repository that is
gone, and a file that cannot be read, is named and left out.

OUT/SPLIT/LABEL/NAME.flac, OUT/metadata.csv (a row a file), OUT/ATTRIBUTION.csv; then run
``prepare.py --build OUT``, with the other corpora beside it.
"""

import argparse
import csv
import gzip
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from corpus_build.waveform import SR, decode, normalise, resample, to_mono, write

COLUMNS = (
    "file", "split", "seconds", "label", "caption", "tags", "licence", "package", "source", "kind",
    "group", "bandwidth_hz", "author",
)  # fmt: skip
ATTRIBUTION = ("package", "version", "licence", "sources", "licence file", "authors")

Row = dict[str, str]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clips", type=Path, default=Path(__file__).with_name("repositories.csv.gz"))
    add("--out", type=Path, default=Path("repositories_build"))
    add("--work", type=Path, default=Path("repositories_work"), help="what git fetched, kept")
    add("--host", default="https://github.com/", help="where the repositories are")
    add("--only", default="", help="comma-separated repositories: no others")
    args = parser.parse_args(argv)
    rows = read_list(args.clips, args.only)
    done, failed = rebuild(rows, args.out, args.work, args.host)
    for name, why in failed:
        print(f"left out: {name}: {why}")
    hours = sum(float(row["seconds"]) for row in done) / 3600
    print(f"{len(done)} of {len(rows)} clips, {hours:.2f} hours")
    if not done:
        sys.exit("rebuild.py: no repository could be read")


def read_list(path: Path, only: str = "") -> list[Row]:
    """Read repositories.csv.gz. only: comma-separated OWNER/NAME."""
    names = set(filter(None, only.split(",")))
    with gzip.open(path, "rt", newline="", encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines) if not names or row["repository"] in names]


def rebuild(
    rows: Sequence[Row], out: Path, work: Path, host: str
) -> tuple[list[Row], list[tuple[str, str]]]:
    """Write clips and tables -> metadata of what was written, (name, reason) of what was not.

    Args:
      rows: of the list.
      out: folder to write.
      work: folder for what git fetches.
      host: what a repository's OWNER/NAME is appended to.
    """
    done: list[Row] = []
    failed: list[tuple[str, str]] = []
    wanted: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        wanted[row["repository"], row["commit"]].append(row)
    for (name, commit), part in sorted(wanted.items()):
        try:
            folder = checkout(f"{host}{name}", commit, {row["path"] for row in part}, work / name)
        except (OSError, subprocess.CalledProcessError) as error:
            failed.append((name, _reason(error)))
            continue
        for row in part:
            try:
                done.append(_take(row, folder, out))
            except (OSError, ValueError) as error:
                failed.append((f"{name}/{row['path']}", str(error)))
    _write_tables(out, done, rows)
    return done, failed


def checkout(url: str, commit: str, paths: set[str], folder: Path) -> Path:
    """Fetch the files of one commit into ``folder``, unless they are there.

    Raises CalledProcessError where git fails.
    """
    if all((folder / path).is_file() for path in paths):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    git = ["git", "-C", str(folder)]
    for command in (
        ["init", "-q"],
        ["fetch", "-q", "--depth", "1", "--filter=blob:none", url, commit],
        ["config", "remote.origin.url", url],
        ["config", "remote.origin.promisor", "true"],
        ["checkout", "-q", commit, "--", *sorted(f":(literal){path}" for path in paths)],
    ):
        subprocess.run([*git, *command], check=True, capture_output=True, text=True)
    return folder


def _reason(error: Exception) -> str:
    text = (getattr(error, "stderr", "") or str(error)).strip()
    return text.splitlines()[-1] if text else type(error).__name__


def _take(row: Row, folder: Path, out: Path) -> Row:
    """Cut one clip out of its source and write it -> its row of metadata."""
    samples, rate = decode((folder / row["path"]).read_bytes(), row["path"])
    x = resample(to_mono(samples), rate)
    start, count = int(row["start"]), round(float(row["seconds"]) * SR)
    clip = np.asarray(normalise(x[max(0, start) : start + count]), np.float32)
    file = write(str(out), row["split"], row["label"], row["name"], clip)
    kept = {name: row.get(name, "") for name in COLUMNS}
    return kept | {
        "file": file,
        "seconds": f"{len(clip) / SR:.3f}",
        "package": f"{row['repository']}@{row['commit'][:12]}",
        "source": row["path"],
        "kind": "recording",
    }


def _write_tables(out: Path, done: Sequence[Row], rows: Sequence[Row]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(done)
    with open(out / "ATTRIBUTION.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ATTRIBUTION, lineterminator="\n")
        table.writeheader()
        table.writerows(attribution(rows))


def attribution(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each repository: licences, number of files, authors."""
    parts: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        parts[row["repository"], row["commit"]].append(row)
    return [
        {
            "package": f"{name}@{commit[:12]}",
            "version": commit,
            "licence": " / ".join(sorted({row["licence"] for row in part})),
            "sources": str(len({row["path"] for row in part})),
            "licence file": "; ".join(sorted({row["licence_file"] for row in part})),
            "authors": "; ".join(sorted({row["author"] for row in part} - {""})),
        }
        for (name, commit), part in sorted(parts.items())
    ]


if __name__ == "__main__":
    main()
