"""Published lists of pairs, and how each becomes a pair list of ours.

AudioSep's six lists (evaluation/metadata of Audio-AGI/AudioSep) and DCASE 2024 Task 9's. The published
numbers were made from mixtures that AudioSep's authors offer as files (segment-N.wav, mixture-N.wav); of
some lists the recordings alone make them again.
"""

import csv
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hsmtss_jax.evaluation.benchmarks.pair_list import PairRow

Rows = Sequence[Mapping[str, str]]
Published = Mapping[str, float]  # column -> AudioSep's or the baseline's number


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedList:
    """Describe a list that somebody published.

    Attributes:
      name: by which the command line knows it.
      file: of the list.
      recordings: what has to be at hand, and where it is had.
      numbers: published, and by whom.
      columns: that the file must have.
      convert: its lines -> pairs, mixed from recordings; None where only ready mixtures are published.
      ready: its lines -> pairs of ready mixtures; None where there are none.
      url: of the file; sha256: its sum, "" where unknown.
    """

    name: str
    file: str
    recordings: str
    numbers: str
    columns: tuple[str, ...]
    convert: Callable[[Rows], list[PairRow]] | None = None
    ready: Callable[[Rows], list[PairRow]] | None = None
    url: str = ""
    sha256: str = ""


def read_published(published: PublishedList, path: str | Path, *, ready: bool) -> list[PairRow]:
    """Read a published list as pairs, of ready mixtures or of recordings to mix.

    Raises OSError when the file is not there, ValueError for another list or a form that it does not have.
    """
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not set(published.columns) <= set(reader.fieldnames or ()):
            raise ValueError(
                f"{path} is not the list {published.name}: it must have the columns "
                f"{', '.join(published.columns)} ({published.file})"
            )
        lines = list(reader)
    convert = published.ready if ready else published.convert
    if convert is None:
        form = "only as ready mixtures: give --ready" if not ready else "without ready mixtures"
        raise ValueError(f"the list {published.name} is published {form}")
    return convert(lines)


def _ready(lines: Rows) -> list[PairRow]:
    """Name segment-N.wav and mixture-N.wav, as AudioSep's evaluation reads them."""
    return [
        PairRow(
            name=line["idx"],
            text=line["caption"],
            target=f"segment-{line['idx']}.wav",
            mixture=f"mixture-{line['idx']}.wav",
            group=line["src_wav"],
        )
        for line in lines
    ]


def _mixed(lines: Rows, seconds: float, group: Callable[[str], str]) -> list[PairRow]:
    """Mix a source and a noise at 0 dB; a noise that is a source elsewhere has its description there."""
    texts = {line["src_wav"]: line["caption"] for line in lines}
    return [
        PairRow(
            name=line["idx"],
            text=line["caption"],
            target=line["src_wav"],
            other=line["noise_wav"],
            text_other=texts.get(line["noise_wav"], ""),
            seconds=seconds,
            group=group(line["src_wav"]),
        )
        for line in lines
    ]


def _esc50(lines: Rows) -> list[PairRow]:
    """Mix FOLD-RECORDING-TAKE-CLASS.wav: takes of one recording belong together."""
    return _mixed(lines, 5.0, lambda name: name.split("-")[1])


def _clips_of_ten_seconds(lines: Rows) -> list[PairRow]:
    return _mixed(lines, 10.0, lambda name: name)


def _audioset(lines: Rows) -> list[PairRow]:
    """Name a source and its mixture by paths; the same number stands on all lines of a class."""
    return [
        PairRow(
            name=Path(line["src_wav"]).stem.removesuffix(",source"),
            text=line["caption"],
            target=_inside(line["src_wav"], "audioset"),
            mixture=_inside(line["noise_wav"], "audioset"),
            group=line["src_wav"],
        )
        for line in lines
    ]


def _vggsound(lines: Rows) -> list[PairRow]:
    return [
        PairRow(
            name=line["file_id"],
            text=line["s0_text"],
            target=line["s0_wav"],
            mixture=line["mix_wav"],
            text_other=line["s1_text"],
            group=line["file_id"].partition("+++")[0],
        )
        for line in lines
    ]


def _dcase(lines: Rows) -> list[PairRow]:
    """Mix files named without suffix, at a ratio a line."""
    return [
        PairRow(
            name=str(number),
            text=line["caption"],
            target=f"{line['source']}.wav",
            other=f"{line['noise']}.wav",
            snr_db=float(line["snr"]),
            group=line["source"],
        )
        for number, line in enumerate(lines)
    ]


def _inside(path: str, folder: str) -> str:
    return path.partition(f"/{folder}/")[2] or path


_AUDIOSEP_FILES = (
    "https://raw.githubusercontent.com/Audio-AGI/AudioSep/944583f18b84589dc965de3ad77525c945334252"
    "/evaluation/metadata"
)
_AUDIOSEP = ("idx", "caption", "src_wav", "noise_wav")
PUBLISHED = {
    each.name: each
    for each in (
        PublishedList(
            name="esc50",
            file="esc50_eval.csv of Audio-AGI/AudioSep, 2,000 pairs",
            recordings="ESC-50 (K. J. Piczak, CC BY-NC: for tests only); data/esc50/README.md",
            numbers="AudioSep: SDRi 10.04, SI-SDR 8.81",
            columns=_AUDIOSEP,
            convert=_esc50,
            ready=_ready,
            url=f"{_AUDIOSEP_FILES}/esc50_eval.csv",
            sha256="bbb4fda3fb0152b814776e5371e9d521f70cdcd90aaf9aabe40c924cea1550fb",
        ),
        PublishedList(
            name="audiocaps",
            file="audiocaps_eval.csv of Audio-AGI/AudioSep, 4,820 pairs",
            recordings="AudioCaps' test clips (YouTube), or AudioSep's evaluation data",
            numbers="AudioSep: SDRi 8.22, SI-SDR 7.19",
            columns=_AUDIOSEP,
            convert=_clips_of_ten_seconds,
            ready=_ready,
            url=f"{_AUDIOSEP_FILES}/audiocaps_eval.csv",
            sha256="c8e99f43b25e5f50ff878c17c3d32fb8e308f731c1b3c63ab9734ef8a81609c0",
        ),
        PublishedList(
            name="clotho",
            file="clotho_eval.csv of Audio-AGI/AudioSep, 5,225 pairs",
            recordings="AudioSep's evaluation data",
            numbers="AudioSep: SDRi 6.85, SI-SDR 5.24",
            columns=("idx", "caption", "src_wav", "noise_wav1"),
            ready=_ready,
            url=f"{_AUDIOSEP_FILES}/clotho_eval.csv",
            sha256="e56084e442bc6afa05e845ca5aa3cea079bc15fa644bf4b19db9d95e4d5fd6d4",
        ),
        PublishedList(
            name="music",
            file="music_eval.csv of Audio-AGI/AudioSep, 5,004 pairs",
            recordings="MUSIC's test clips (YouTube), or AudioSep's evaluation data",
            numbers="AudioSep: SDRi 10.51, SI-SDR 9.43 (means over instruments)",
            columns=_AUDIOSEP,
            convert=_clips_of_ten_seconds,
            ready=_ready,
            url=f"{_AUDIOSEP_FILES}/music_eval.csv",
            sha256="5b0f12bc6b9848b24c8a6efc003ba4b9bb6b8d87e41a33edd75ec7d97d86d0f0",
        ),
        PublishedList(
            name="vggsound",
            file="vggsound_eval.csv of Audio-AGI/AudioSep, 1,000 pairs",
            recordings="AudioSep's evaluation data",
            numbers="AudioSep: SDRi 9.14, SI-SDR 9.04",
            columns=("file_id", "mix_wav", "s0_wav", "s0_text", "s1_text"),
            ready=_vggsound,
            url=f"{_AUDIOSEP_FILES}/vggsound_eval.csv",
            sha256="741dfb8069ca5a2de38714c5ab685800c15021753a32cab7b41d415d22e2ccd3",
        ),
        PublishedList(
            name="audioset",
            file="audioset_eval.csv of Audio-AGI/AudioSep, 5,270 pairs",
            recordings="AudioSep's evaluation data",
            numbers="AudioSep: SDRi 7.74, SI-SDR 6.90 (means over classes)",
            columns=_AUDIOSEP,
            ready=_audioset,
            url=f"{_AUDIOSEP_FILES}/audioset_eval.csv",
            sha256="11fb7fff03e5f36ff34907b86aeef0665da5d2729692c4ed50b1dbfa37115d96",
        ),
        PublishedList(
            name="dcase2024",
            file="lass_synthetic_validation.csv of DCASE 2024 Task 9 (Zenodo 10886481), 3,000 pairs",
            recordings="lass_validation.zip beside it (Freesound, 16 kHz)",
            numbers="the challenge's baseline: SDR 5.71, SDRi 5.67, SI-SDR 3.86",
            columns=("source", "noise", "snr", "caption"),
            convert=_dcase,
            url="https://zenodo.org/records/10886481/files/lass_synthetic_validation.csv",
        ),
    )
}
