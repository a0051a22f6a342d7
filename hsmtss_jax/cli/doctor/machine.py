"""Examine the machine for ``hsmtss doctor``: versions, devices, memory, cache, extras."""

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hsmtss_jax.cli.compilation_cache import compilation_cache
from hsmtss_jax.cli.doctor.finding import Finding, size

PACKAGES = ("jax", "jaxlib", "flax", "numpy", "soundfile", "soxr", "safetensors")
EXTRAS = {
    "eval": ("skimage",),
    "caption": ("pycocoevalcap",),
    "torch": ("torch", "transformers"),
    "prepare": ("zstandard",),
    "dev": ("pytest", "hypothesis", "ruff", "mypy"),
}
PLUGINS = {
    "gpu": ("jax-cuda12-plugin", "jax-cuda13-plugin", "jax-rocm7-plugin"),
    "tpu": ("libtpu",),
}
ACCELERATORS = {"gpu": ("/dev/nvidia0", "/dev/kfd"), "tpu": ("/dev/accel0", "/dev/vfio/0")}


Version = Callable[[str], str | None]


def examine_machine() -> list[Finding]:
    """Return findings in the order they are read."""
    return [
        examine_versions(),
        *examine_plugins(installed_version),
        *_devices(),
        _host_memory(),
        examine_cache(compilation_cache()),
        _extras(),
    ]


def installed_version(package: str) -> str | None:
    """Return the version of a package, None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def host_memory() -> tuple[int, int]:
    """Return all bytes and the free ones for this process: the machine's, or its container's limit."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = os.sysconf("SC_PHYS_PAGES") * page
    free = os.sysconf("SC_AVPHYS_PAGES") * page
    if (info := Path("/proc/meminfo")).exists():  # counts caches that can be dropped as free
        lines = dict(line.split(":") for line in info.read_text().splitlines())
        free = int(lines.get("MemAvailable", f"{free // 1024} kB").split()[0]) * 1024
    limit = _container_value("memory.max")
    if limit is not None and limit < total:
        total, free = limit, min(free, limit - (_container_value("memory.current") or 0))
    return total, free


def _container_value(name: str) -> int | None:
    try:
        return int((Path("/sys/fs/cgroup") / name).read_text())
    except (OSError, ValueError):  # no limit is the word max
        return None


def examine_versions() -> Finding:
    """Check that what is needed is installed and fits together."""
    import soundfile

    found: dict[str, Any] = {"python": platform.python_version()}
    found |= {package: installed_version(package) for package in PACKAGES}
    found["libsndfile"] = soundfile.__libsndfile_version__
    missing = [name for name, number in found.items() if number is None]
    text = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
    same = _series(found["jax"]) == _series(found["jaxlib"])
    if not same:
        text += "; jax and jaxlib differ: install the same version of both"
    return Finding("bad" if missing or not same else "ok", "versions", text, found)


def _series(number: str | None) -> str:
    return ".".join((number or "").split(".")[:2])


def examine_plugins(version: Version) -> list[Finding]:
    """Check whether jax sees the accelerators that are here, and whether their plugin fits jaxlib."""
    import jax

    findings = []
    platforms = {device.platform for device in jax.devices()}
    jaxlib = version("jaxlib")
    for kind, plugins in PLUGINS.items():
        installed = {name: number for name in plugins if (number := version(name))}
        present = any(os.path.exists(path) for path in ACCELERATORS[kind])
        for name, number in installed.items():
            fits = kind == "tpu" or number == jaxlib
            text = f"{name} {number}" + ("" if fits else f" does not fit jaxlib {jaxlib}")
            findings.append(Finding("ok" if fits else "bad", f"{kind} plugin", text))
        if present and kind not in platforms:
            cure = "the driver" if installed else f"pip install 'hsmtss-jax[{kind}]'"
            text = f"there is a {kind}, but JAX does not see it: check {cure}"
            findings.append(Finding("note", kind, text))
    return findings


def _devices() -> list[Finding]:
    import jax

    findings = []
    for device in jax.local_devices():
        name = f"{device.platform}:{device.id}"
        stats = device.memory_stats() or {}
        values: dict[str, Any] = {"kind": device.device_kind}
        text = f"{device.device_kind}"
        if device.platform == "cpu":
            values["cores"] = (
                len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
            )
            text = f"{platform.processor() or platform.machine()}, {values['cores']} cores"
        elif "bytes_limit" in stats:
            values |= {"total": stats["bytes_limit"], "used": stats.get("bytes_in_use", 0)}
            text += f", {size(values['total'])}, of it {size(values['used'])} in use"
        findings.append(Finding("ok", name, text, values))
    return findings


def _host_memory() -> Finding:
    total, free = host_memory()
    values = {"total": total, "free": free}
    return Finding("ok", "memory", f"{size(free)} of {size(total)} free", values)


def examine_cache(folder: Path | None) -> Finding:
    """Look at the folder of compiled programs; None: there is none."""
    if folder is None:
        text = "none: every run compiles anew; set XDG_CACHE_HOME to a folder that can be written"
        return Finding("note", "compilation cache", text)
    files = [path.stat().st_size for path in folder.glob("*") if path.is_file()]
    values = {"folder": str(folder), "files": len(files), "bytes": sum(files)}
    text = f"{folder}, {len(files)} files, {size(sum(files))}"
    return Finding("ok", "compilation cache", text, values)


def _extras() -> Finding:
    here = {
        name: all(importlib.util.find_spec(module) is not None for module in modules)
        for name, modules in EXTRAS.items()
    }
    here |= {kind: any(map(installed_version, plugins)) for kind, plugins in PLUGINS.items()}
    present = ", ".join(name for name, found in here.items() if found) or "none"
    absent = ", ".join(name for name, found in here.items() if not found) or "none"
    return Finding("ok", "extras", f"present: {present}; absent: {absent}", here)
