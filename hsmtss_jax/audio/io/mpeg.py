"""Find the frames of MPEG audio (MP1, MP2, MP3), which have no header that counts them reliably.

libmpg123, which decodes them, trusts the count of a Xing or Info tag, guesses it from the size of the file
where there is none, and stops where a second tag announces a joined file. The headers of all frames give
the count at 0.2 s per hour of sound, so each stream is given to it with a count that is right, and
without the bytes between the frames that it would complain about.
"""

import dataclasses
import functools
from typing import NamedTuple

from hsmtss_jax.audio.io.layout import Layout, Stream
from hsmtss_jax.audio.io.tags import tag_at, tags_before, tags_behind
from hsmtss_jax.audio.io.view import Range, View, ViewFile, join

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_BITRATES = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SURE = 4  # frames in a row that prove MPEG audio behind other bytes
_SEARCHED = 1 << 16  # bytes before the first frame


class _Kind(NamedTuple):
    """Hold what all frames of a stream share."""

    version: int  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    layer: int
    rate: int
    mono: bool

    @property
    def samples(self) -> int:
        """Return the samples per frame."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version != 3 else 1152


class _Frame(NamedTuple):
    kind: _Kind
    size: int


@dataclasses.dataclass
class _Run:
    """Collect the frames of one stream; ``tag`` is the offset of its Info tag, 0: it has none."""

    kind: _Kind
    ranges: list[Range]
    frames: int = 0
    size: int = 0
    tag: int = 0

    def add(self, offset: int, size: int) -> None:
        last = self.ranges[-1] if self.ranges else None
        if last and last.offset + last.size == offset:
            self.ranges[-1] = Range(last.offset, last.size + size)
        else:
            self.ranges.append(Range(offset, size))
        self.size += size


def parse(view: View) -> Layout | None:
    """Return the streams of MPEG audio in a view, or None where it holds none."""
    with view.open() as file:
        first = _first_frame(file, view.size)
        if first is None:
            return None
        runs, notes = _scan(file, first, tags_behind(file, view.size))
        streams = []
        for run in runs:
            if not run.frames:
                continue
            stream, note = _stream(file, view, run)
            streams.append(stream)
            notes += [note] if note else []
    return Layout(streams, notes) if streams else None


def _first_frame(file: ViewFile, end: int) -> int | None:
    """Return the offset of the first frame, or None where no frames follow each other."""
    start = tags_before(file)
    for at in range(start, min(end - 3, start + _SEARCHED)):
        if file.at(at, 1) != b"\xff" or (frame := _frame(file, at)) is None:
            continue
        chained, position = 0, at
        while frame is not None and chained < _SURE:
            chained, position = chained + 1, position + frame.size
            following = _frame(file, position)
            frame = following if following and _alike(following.kind, frame.kind) else None
        whole = position <= end and tag_at(file, position, end) == end
        if chained == _SURE or (at == start and (chained >= 2 or whole)):
            return at
    return None


def _scan(file: ViewFile, at: int, end: int) -> tuple[list[_Run], list[str]]:
    """Follow the frames from ``at`` on; a new stream begins at an Info tag or another kind of frame."""
    runs: list[_Run] = []
    lost = cut = 0
    while at < end:
        frame = _frame(file, at)
        if frame is None or at + frame.size > end:
            resumed = _resume(file, at, end)
            if resumed is None:
                cut = end - at
                break
            lost += resumed - tag_at(file, at, resumed)
            at = resumed
            continue
        tag = _tag_offset(file, at, frame)
        if not runs or frame.kind != runs[-1].kind or tag:
            runs.append(_Run(frame.kind, [], tag=tag))
        if not _is_vbri(file, at):
            runs[-1].frames += not tag
            runs[-1].add(at, frame.size)
        at += frame.size
    notes = (
        [f"damaged: {lost} bytes between its frames are no sound and passed over"] if lost else []
    )
    if cut and runs:
        whole = file.at(end - cut, min(cut, 4096))
        if whole.strip(b"\0") and _frame(file, end - cut) is not None:
            notes.append(
                f"cut short within a frame: at least {runs[-1].kind.samples} samples are missing"
            )
        elif whole.strip(b"\0") and tag_at(file, end - cut, end) < end:
            notes.append(f"its last {cut} bytes are no sound and passed over")
    return runs, notes


def _resume(file: ViewFile, at: int, end: int) -> int | None:
    """Return the offset of the next two frames in a row behind ``at``, or None."""
    at = max(at + 1, tag_at(file, at, end))
    while at < end:
        data = file.at(at, min(1 << 16, end - at))
        found = data.find(b"\xff")
        if found < 0:
            at += len(data)
            continue
        at += found
        frame = _frame(file, at)
        if frame is not None:
            following = _frame(file, at + frame.size)
            if following is not None and _alike(following.kind, frame.kind):
                return at
        at += 1
    return None


def _frame(file: ViewFile, at: int) -> _Frame | None:
    head = file.at(at, 4)
    return _table().get(head[1] << 16 | head[2] << 8 | head[3] & 0xC0) if _is_sync(head) else None


def _is_sync(head: bytes) -> bool:
    return len(head) == 4 and head[0] == 0xFF and head[1] >= 0xE0


@functools.cache
def _table() -> dict[int, _Frame]:
    """Return the frame that each header announces, by the bits of its second to fourth byte."""
    frames = {}
    for second in range(0xE0, 0x100):
        version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
        if version == 1 or layer == 4:
            continue
        for third in range(256):
            bitrate, rate = third >> 4, third >> 2 & 3
            if bitrate in (0, 15) or rate == 3:
                continue
            for mode in range(4):
                kind = _Kind(version, layer, _RATES[version][rate], mode == 3)
                bits = 1000 * _BITRATES[version == 3, layer][bitrate]
                slots = kind.samples // (32 if layer == 1 else 8) * bits // kind.rate
                size = (slots + (third >> 1 & 1)) * (4 if layer == 1 else 1)
                frames[second << 16 | third << 8 | mode << 6] = _Frame(kind, size)
    return frames


def _alike(a: _Kind, b: _Kind) -> bool:
    return a[:3] == b[:3]


def _tag_offset(file: ViewFile, at: int, frame: _Frame) -> int:
    """Return the offset of an Info or Xing tag in the frame at ``at``, or 0."""
    if frame.kind.layer != 3:
        return 0
    wide = frame.kind.version == 3
    offset = 4 + ((17 if frame.kind.mono else 32) if wide else (9 if frame.kind.mono else 17))
    for shift in (0, 2):  # with a CRC
        if file.at(at + offset + shift, 4) in (b"Xing", b"Info"):
            return offset + shift
    return 0


def _is_vbri(file: ViewFile, at: int) -> bool:
    return file.at(at + 36, 4) == b"VBRI"


def _stream(file: ViewFile, view: View, run: _Run) -> tuple[Stream, str | None]:
    """Return a stream whose tag tells the right count; without a tag, a size that promises enough."""
    shown = join(view.cut(0, 0), *(view.cut(at, at + size) for at, size in run.ranges))
    total = run.frames * run.kind.samples
    if not run.tag:
        return Stream(shown, total, claimed_size=8 * shown.size + (1 << 16), loud=True), None
    start = run.ranges[0].offset + run.tag
    flags = int.from_bytes(file.at(start + 4, 4), "big")
    stated = int.from_bytes(file.at(start + 8, 4), "big") if flags & 1 else run.frames
    at = start + 8
    for flag, size in ((1, 4), (2, 4), (4, 100), (8, 4)):
        if flags & flag:
            if flag < 4:
                new = run.frames if flag == 1 else run.size
                shown = shown.patched(at - start + run.tag, new.to_bytes(4, "big"))
            at += size
    delay, padding = _gapless(file.at(at + 21, 3)) if _is_encoder(file.at(at, 4)) else (0, 0)
    if stated != run.frames and padding:
        kept = bytes([delay >> 4, delay << 4 & 0xF0, 0])  # the padding was at another end
        shown = shown.patched(at + 21 - start + run.tag, kept)
    if stated <= run.frames:
        return Stream(shown, None, loud=True), None
    missing = (stated - run.frames) * run.kind.samples
    note = f"cut short: about {missing} of {stated * run.kind.samples} samples are missing"
    return Stream(shown, None, loud=True), note


def _is_encoder(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def _gapless(data: bytes) -> tuple[int, int]:
    """Return the samples to leave out at the start and at the end."""
    return data[0] << 4 | data[1] >> 4, (data[1] & 15) << 8 | data[2]
