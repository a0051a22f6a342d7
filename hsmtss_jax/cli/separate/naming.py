"""Name results: names from a template, none of them twice, none of them an input.

A recording that was found in a walked folder keeps its sub-folder; names that are taken get a number.
"""

import dataclasses
import os
import re
import string
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from hsmtss_jax.audio.formats import FORMATS, format_of
from hsmtss_jax.audio.io import default_format
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.cli.discovery import Input

FIELDS = ("track", "stem", "prompt", "ext")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}")  # of a file; "v1.5" and "2024.11" are folders
LONGEST = 180  # bytes of a name: hidden working names are longer, file systems end at 255
DEFAULT_FOLDER = "separated"


@dataclasses.dataclass(frozen=True)
class OutputPaths:
    """Hold the files of one result."""

    target: Path
    residual: Path | None = None

    @property
    def files(self) -> list[Path]:
        """Return those that are written."""
        return [self.target] if self.residual is None else [self.target, self.residual]

    @property
    def figure(self) -> Path:
        """Return the path of the PNG beside the target."""
        return self.target.with_suffix(".png")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NamingRule:
    """Hold what was asked of the names: -o, --filename, --format, --two-stems."""

    output: str | None = None
    template: str | None = None
    options: OutputOptions = dataclasses.field(default_factory=OutputOptions)
    two_stems: bool = False
    mark: str = ""  # behind the track's name

    @property
    def is_file(self) -> bool:
        """Return whether -o names one file: it has a suffix, is no folder and does not end as one."""
        if self.output is None or self.output.endswith(("/", os.sep)):
            return False
        return bool(_SUFFIX.fullmatch(Path(self.output).suffix)) and not os.path.isdir(self.output)

    @property
    def folder(self) -> Path | None:
        """Return the folder that -o names."""
        return Path(self.output) if self.output is not None and not self.is_file else None


def plan_outputs(
    naming: NamingRule, inputs: Sequence[Input], prompts: Sequence[str]
) -> list[list[OutputPaths]]:
    """Return the outputs of every input's results, one a prompt.

    Raises ValueError for -o as a file where there are several results, a file that would replace an
    input, a template with an unknown field, without one that tells results apart, or that leaves its
    folder.
    """
    taken = {_key(each.path) for each in inputs}
    if naming.is_file and inputs:
        return [[_file_paths(naming, len(inputs) * len(prompts), taken)]]
    template = _template(naming, len(inputs), len(prompts))
    several = len(inputs) > 1 or any(each.folder != Path() for each in inputs)
    outputs = []
    for each in inputs:
        folder = naming.folder or (Path(DEFAULT_FOLDER) if several else each.beside)
        ext, of_input = _ext(naming, each.suffix), []
        for prompt in prompts:
            values = {"track": each.path.stem + naming.mark, "prompt": slug(prompt), "ext": ext}
            of_input.append(_free(folder / each.folder, template, values, naming, taken))
        outputs.append(of_input)
    return outputs


def slug(text: str) -> str:
    """Return the words of a text in lower case with underscores between, 60 characters at most."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"\W+", "_", plain).strip("_")[:60].strip("_") or "prompt"


def _file_paths(naming: NamingRule, results: int, taken: set[str]) -> OutputPaths:
    assert naming.output is not None
    target = Path(naming.output)
    if results > 1:
        raise ValueError(f"-o {target} is one file, but there are {results} results: name a folder")
    if naming.template is not None:
        raise ValueError("--filename goes with a folder: leave it out, or name a folder with -o")
    if naming.options.format not in (None, format_of(target.suffix)):
        wanted = naming.options.format
        raise ValueError(f"-o {target} is no {wanted} file: leave --format out, or name a folder")
    if format_of(target.suffix) is None:
        raise ValueError(
            f"-o {target}: {target.suffix} is no format that is written ({', '.join(FORMATS)}); a "
            "folder of that name ends with /"
        )
    residual = target.with_name(f"{target.stem}_residual{target.suffix}")
    paths = OutputPaths(target, residual if naming.two_stems else None)
    for file in paths.files:
        if _key(file) in taken:
            raise ValueError(f"{file} would overwrite the input: choose another output")
    return paths


def _template(naming: NamingRule, inputs: int, prompts: int) -> str:
    if naming.template is None:
        if naming.output is None and inputs == prompts == 1 and not naming.two_stems:
            return "{track}_separated"
        return "{track}_{stem}" if prompts == 1 else "{track}_{prompt}_{stem}"
    fields = _fields(naming.template)
    needed = {"track": inputs > 1, "prompt": prompts > 1, "stem": naming.two_stems}
    for name, wanted in needed.items():
        if wanted and name not in fields:
            raise ValueError(f"--filename needs {{{name}}}: without it results have the same name")
    return naming.template


def _fields(template: str) -> set[str]:
    """Return the names in braces. Raises ValueError for what is no plain field."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"--filename {template!r}: {error}") from error
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    for _, name, spec, conversion in parts:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise ValueError(f"--filename has no field {{{name}}}: choose among {known}")
    return {name for _, name, _, _ in parts if name}


def _ext(naming: NamingRule, own: str) -> str:
    """Return the suffix of a result, without the dot: of --format, of the template, else the input's own."""
    suffix = Path(naming.template or "").suffix.lower()
    written, wanted = format_of(suffix), naming.options.format
    if wanted and written and wanted != written:
        raise ValueError(f"--filename ends with {suffix}, --format is {wanted}")
    if written:
        return suffix[1:]
    name = default_format(own, naming.options)
    return (own if format_of(own) == name else FORMATS[name].suffixes[0])[1:]


def _free(
    folder: Path, template: str, values: dict[str, str], naming: NamingRule, taken: set[str]
) -> OutputPaths:
    """Take the first paths whose files are not taken."""
    stems = ("target", "residual") if naming.two_stems else ("target",)
    for number in _numbers():
        numbered, behind = dict(values), number
        if "{track}" in template:
            numbered["track"], behind = values["track"] + number, ""
        named = [_render(template, {**numbered, "stem": stem}, behind, number) for stem in stems]
        files = [folder / name for name in named]
        keys = {_key(file) for file in [*files, files[0].with_suffix(".png")]}
        if len(keys) == len(files) + 1 and not keys & taken:
            taken |= keys
            return OutputPaths(*files)
    raise AssertionError("numbers do not end")


def _numbers() -> Iterator[str]:
    yield ""
    number = 2
    while True:
        yield f"_{number}"
        number += 1


def _render(template: str, values: dict[str, str], behind: str, number: str) -> Path:
    """Fill the template to a relative path with ``behind`` in front of its suffix; see ``_cut``."""
    safe = {name: re.sub(r"[/\\\0]", "_", value) for name, value in values.items()}
    suffix = f".{values['ext']}"
    path = Path(template.format(**safe).removesuffix(suffix) + behind)
    if path.is_absolute() or not path.name or ".." in path.parts or "\0" in template:
        raise ValueError(f"--filename {template!r} must name a file below the output folder")
    return path.with_name(_cut(path.name, LONGEST, number) + suffix)


def _cut(name: str, limit: int, number: str) -> str:
    """Shorten a name to its first bytes and, where some are left out, its last 40 and the number.

    The number may be among those that are left out, and names must differ by it.
    """
    raw = os.fsencode(name)
    if len(raw) <= limit:
        return name
    head, end = raw[: limit - 41 - len(number)], raw[-40:]
    kind = sys.getfilesystemencoding()
    return head.decode(kind, "ignore") + "~" + end.decode(kind, "ignore") + number


def _key(path: Path) -> str:
    """Return a key that is the same for two names of one file, also where case does not count."""
    return os.path.realpath(path).casefold()
