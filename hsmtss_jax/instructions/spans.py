"""Spans of time of a recording, in words ("between 2 and 4 seconds") and in figures ("2-4").

Strict phrases do not occur in captions. Loose ones ("in the first half") do, so they are read in requests
only.
"""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

_POINT = 1.0  # [s] that "at 1:05" means


class Moment(NamedTuple):
    """Name a point in time of a recording of L seconds: share * L + seconds."""

    seconds: float = 0.0
    share: float = 0.0

    def at(self, length: float) -> float:
        """Return the time [s] in a recording of ``length`` [s]; it may lie outside."""
        return self.share * length + self.seconds

    def __str__(self) -> str:
        if self.share == 0:
            return clock(self.seconds)
        if self.share == 1:
            return f"end-{clock(-self.seconds)}" if self.seconds else "end"
        return f"{100 * self.share:.8g}%"


START, END = Moment(), Moment(share=1.0)


class Span(NamedTuple):
    """Name a part of a recording, from one moment to another."""

    start: Moment = START
    end: Moment = END

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


class Form(NamedTuple):
    """Describe a phrase that names a span. {A}, {B}: times. kind: what they mean.

    kind: range (from A to B), from, until, point (at A), head (the first A), tail (the last A),
    part (by the groups which, n, part and more), behind or before such a part, first half or second half.
    """

    kind: str
    pattern: str
    strict: bool = True


class Found(NamedTuple):
    """Store a text without the phrases that name spans, these phrases, and the spans."""

    text: str
    phrases: list[str]
    spans: tuple[Span, ...]


_DIGITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TENS = {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60}
_WORDS = {word: number for number, word in enumerate(_DIGITS, 1)} | _TENS | {"ninety": 90}
_FEW = {"a": 1, "couple of": 2, "few": 3}
_UNITS = {
    0.001: r"ms|milliseconds?",
    1.0: r"s|secs?|seconds?|sekunden?|secondes?|segundos?|second[oi]|秒钟?|秒間?",
    60.0: r"mins?|minutes?|minuten?|minutos?|minut[oi]|分钟?|分間?",
    3600.0: r"hrs?|hours?|stunden?|heures?|horas?|or[ae]|小时|時間",
}
_INSIDE = "[a-zà-ÿ0-9:]"  # of a word or a figure
_UNIT = "(?:(?:" + "|".join(_UNITS.values()) + ")(?![a-zà-ÿ]))"
_FIGURE = r"\d+(?:[.,]\d+)?"
_NUMBER = rf"(?:{_FIGURE}|(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b)"
_CLOCK = r"\d+(?::\d\d){1,2}(?:[.,]\d+)?"
_SHORT = r"(?:\d+h ?)?(?:\d+m ?)?\d+(?:\.\d+)?s\b"
_QUANTITY = rf"{_NUMBER}[ -]?{_UNIT}(?:,? ?(?:and |und |et |y |e )?{_NUMBER} ?{_UNIT})*"
_NAMED = rf"(?:seconds?|minutes?|sekunde|minute) {_NUMBER}"
_EDGE = r"(?:the )?(?:very )?(?:start|beginning|end|middle)(?! of (?!the (?:recording|file|clip|track)))"
_TIME = rf"(?:the )?(?:{_SHORT}|{_CLOCK}|{_QUANTITY}|{_NAMED})"
_ABOUT = r"(?:about |around |roughly |exactly )?"
_TO = r"(?: ?(?:-|—) ?| (?:up )?(?:to|and|until|till|through) )"
_ON = r",? (?:on(?:wards?)?|until the end|till the end|to the end|and on)\b"
_WHOLE = (
    r"(?: (?:of|in) (?:the|this|that|my) (?:whole )?"
    r"(?:recording|file|clip|track|audio|song|video|mix(?:ture)?))?"
)
_ORDER = {"first": 1, "opening": 1, "initial": 1, "second": 2, "third": 3, "fourth": 4}
_ORDER |= {"last": -1, "final": -1, "closing": -1, "middle": 0}
_SHARES = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_HALVES = {
    "first half": Span(START, Moment(share=0.5)),
    "second half": Span(Moment(share=0.5), END),
}
_ONE_PART = (
    rf"(?:the )?(?:very )?(?P<which>{'|'.join(_ORDER)})(?: (?P<n>{_NUMBER}|few|couple of))?"
    rf"[ -](?P<part>{'|'.join(_SHARES)}|{_UNIT})"
    rf"(?P<more>(?:,? (?:and )?{_NUMBER} {_UNIT})*){_WHOLE}"
)

FORMS = (
    Form("range", rf"(?:from|between) {_ABOUT}{{A}}{_TO}{_ABOUT}{{B}}"),
    Form("range", rf"(?:from|between|in) (?P<unit>seconds?|minutes?) (?P<a>{_NUMBER}){_TO}(?P<b>{_NUMBER})"),
    Form("range", rf"(?:at |in |within )?(?P<a>{_CLOCK}){_TO}(?P<b>{_CLOCK})"),
    Form("range", rf"(?:in )?(?P<a>{_QUANTITY}|{_FIGURE})(?: ?- ?| to )(?P<b>{_QUANTITY})(?! of\b)(?: in)?"),
    Form("from", rf"(?:starting |beginning )?(?:from|at|with) {_ABOUT}{{A}}{_ON}"),
    Form("from", rf"(?:starting|beginning) (?:from|at|with|after) {_ABOUT}{{A}}"),
    Form("from", rf"(?:after|since|from) (?P<a>{_CLOCK})"),
    Form("until", rf"(?:before|until|till|up to|up until) (?P<a>{_CLOCK})"),
    Form("from", rf"(?:after|since) {_ABOUT}{{A}}(?: mark)?", False),
    Form("until", rf"(?:before|until|till|up to|up until|within) {_ABOUT}{{A}}(?: mark)?", False),
    Form("behind", rf"after {_ONE_PART}", False),
    Form("behind", rf"from {_ONE_PART} on(?:wards?)?", False),
    Form("before", rf"(?:before|until|till|up to) {_ONE_PART}", False),
    Form("range", rf"(?:from|between) (?P<a>{_FIGURE}){_TO}(?P<b>{_FIGURE})(?=[ ,.;!]*$)", False),
    Form("point", rf"(?:at|around) {_ABOUT}{{A}}(?: mark)?", False),
    Form("part", rf"(?:in|during|for|over|within|throughout|from|only|just) {_ONE_PART}", False),
    Form("part", rf"{_ONE_PART} of(?= )", False),
    Form("part", rf"{_ONE_PART}(?: only| alone|(?=[ ,.;]*$))", False),
)  # fmt: skip
_OUTSIDE = (
    r"(?:everywhere )?(?:except|but not|and not|not|apart from|other than|everywhere but|outside of)"
    r"(?: for)?,? "
)
_BEFORE = r"(?:,? ?\b(?:but |and )?(?:only|just) )?"


def find(text: str, loose: bool, forms: Sequence[Form] = FORMS) -> Found:
    """Read the spans of time in ``text``; phrases that may belong to a caption only if ``loose``.

    A phrase stays where nothing else would be left.
    """
    phrases: list[str] = []
    spans: list[Span] = []
    for form in forms:
        if not (form.strict or loose):
            continue
        pattern = _compiled(form.pattern)
        while (match := pattern.search(text)) is not None:
            shorter = _without(text, match)
            read = _spans(form.kind, match)
            if not any(map(str.isalnum, shorter)) or not read:
                break
            outside = bool(match["outside"])
            text, phrases = shorter, [*phrases, match.group().strip(" ,")]
            spans += outside_of(read) if outside else read
    return Found(text, phrases, tuple(spans))


def read_span(text: str) -> Span:
    """Read "2-4", "1:05-", "-0:30", "50%-end", "end-10-end", or words ("the first half").

    Raises:
      ValueError: it is none, or ends before it begins.
    """
    plain = text.strip().lower()
    moment = (
        rf"(?:end(?:-(?:{_CLOCK}|{_FIGURE}))?|start|{_FIGURE} ?%|{_CLOCK}|{_FIGURE} ?(?:{_UNIT})?|)"
    )
    match = re.fullmatch(rf"({moment}) ?(?:-|\.\.| to ) ?({moment})", plain)
    if match and (match[1] or match[2]):
        span = Span(_figure(match[1].strip(), START), _figure(match[2].strip(), END))
        return _checked(span, text)
    found = find(f"x {plain}", loose=True)
    if len(found.spans) != 1 or found.text.strip() != "x":
        raise ValueError(
            f"{text[:40]!r} is no span of time: give e.g. 2-4, 1:05- or 'the first half' ([s] or h:mm:ss)"
        )
    return _checked(found.spans[0], text)


def outside_of(spans: Sequence[Span]) -> list[Span]:
    """Return what lies between the spans, which are in order, and around them."""
    edges = [START, *(edge for span in spans for edge in span), END]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Span(start, end) for start, end in pairs if start != end]


def clock(seconds: float) -> str:
    """Format a time [s]: "1:05", "0:02.5", "1:02:03"."""
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    hours, minutes = divmod(whole // 60, 60)
    front = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{front}:{whole % 60:02}" + f".{rest:03}".rstrip("0") * bool(rest)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for name in "ab":
        other = f"|{_NUMBER}" if name == "a" and "{B}" in pattern else ""
        pattern = pattern.replace(f"{{{name.upper()}}}", f"(?P<{name}>{_TIME}|{_EDGE}{other})")
    return re.compile(
        rf"{_BEFORE}(?P<outside>{_OUTSIDE})?(?<!{_INSIDE}|\.)(?:{pattern})(?!{_INSIDE})",
        re.IGNORECASE,
    )


def _without(text: str, match: re.Match[str]) -> str:
    """Return the text without the phrase, and without what joined it to another one."""
    before, after = text[: match.start()].rstrip(" ,"), text[match.end() :]
    joined = re.match(
        r"(?:,| and| or|, and)+ (?=(?:only |just )?(?:from|between|at|after|until|in the|\d))",
        after,
    )
    after = after[joined.end() :] if joined else after.lstrip(" ,") if not before else after
    joint = "" if not before or re.match(r"[,.;!?]|$", after) else " "
    return re.sub(r" {2,}", " ", before + joint + after).strip(" ,")


def _spans(kind: str, match: re.Match[str]) -> list[Span]:
    groups = match.groupdict()
    if kind in ("part", "behind", "before"):
        more = _moment(groups["more"]).seconds if groups["more"] else 0.0
        part = _part(groups["which"].lower(), groups["n"], groups["part"].lower(), more)
        if part is None:
            return []
        edges = {"part": part, "behind": Span(part.end, END), "before": Span(START, part.start)}
        return [edges[kind]] if edges[kind].start != edges[kind].end else []
    unit = groups.get("unit")
    if kind in _HALVES:
        return [_HALVES[kind]]
    start = _moment(groups["a"], unit or groups.get("b"))
    if kind == "range":
        return [_checked(Span(start, _moment(groups["b"], unit)), match.group().strip())]
    if kind == "point" and start.share == 0:
        return [Span(start, Moment(start.seconds + _POINT))]
    made = {
        "from": Span(start, END),
        "until": Span(START, start),
        "head": Span(START, start),
        "tail": Span(Moment(-start.seconds, 1.0), END),
    }
    return [made[kind]] if kind in made else []


def _part(which: str, number: str | None, part: str, more: float) -> Span | None:
    """Return "the last two seconds", "the second half", "the third minute"."""
    order, count = _ORDER[which], _value(number) if number else 1.0
    if part in _SHARES:
        size = count / _SHARES[part]
        if order == 0:
            return Span(Moment(share=(1 - size) / 2), Moment(share=(1 + size) / 2))
        first = 1 - size if order < 0 else (order - 1) / _SHARES[part]
        return Span(Moment(share=first), Moment(share=first + size)) if first + size <= 1 else None
    if order == 0:
        return None
    size = count * _factor(part) + more
    if order < 0:
        return Span(Moment(-size, 1.0), END)
    return Span(Moment((order - 1) * _factor(part)), Moment((order - 1) * _factor(part) + size))


def _moment(text: str, other: str | None = None) -> Moment:
    """Return the moment of a phrase; a bare number is in the unit of the other end."""
    plain = text.lower().removeprefix("the ").removeprefix("very ")
    if plain in ("start", "beginning", "end", "middle"):
        return {"end": END, "middle": Moment(share=0.5)}.get(plain, START)
    if re.fullmatch(_CLOCK, plain):
        return Moment(_clock_seconds(plain))
    if named := re.fullmatch(rf"(seconds?|minutes?|sekunde) ({_NUMBER})", plain):
        return Moment(_value(named[2]) * _factor(named[1]))
    if re.fullmatch(_NUMBER, plain):
        unit = re.search(_UNIT, other or "s", re.IGNORECASE)
        return Moment(_value(plain) * (_factor(unit.group()) if unit else 1.0))
    short = {"h": 3600.0, "m": 60.0}
    pairs = re.findall(rf"({_NUMBER})[ -]?({_UNIT}|[hm](?![a-z]))", plain)
    return Moment(sum(_value(n) * (short.get(unit) or _factor(unit)) for n, unit in pairs))


def _figure(text: str, empty: Moment) -> Moment:
    if text in ("", "start", "end"):
        return {"start": START, "end": END}.get(text, empty)
    if text.startswith("end-"):
        return Moment(-_figure(text[4:], empty).seconds, 1.0)
    if text.endswith("%"):
        return Moment(share=float(text[:-1].replace(",", ".")) / 100)
    return _moment(text)


def _checked(span: Span, text: str) -> Span:
    start, end = span
    if max(start.share, end.share) > 1:
        raise ValueError(f"the span {text!r} lies behind the end: 100% is the recording's length")
    backwards = start.share == end.share and end.seconds <= start.seconds
    if backwards or (end.share < start.share and (start.share == 1 or not end.seconds)):
        raise ValueError(f"the span {text!r} ends before it begins")
    return span


def _value(number: str) -> float:
    lower = number.lower()
    return float(_WORDS.get(lower) or _FEW.get(lower) or lower.replace(",", "."))


def _factor(unit: str) -> float:
    lower = unit.lower()
    return next(factor for factor, names in _UNITS.items() if re.fullmatch(names, lower))


def _clock_seconds(text: str) -> float:
    total = 0.0
    for part in text.replace(",", ".").split(":"):
        total = 60 * total + float(part)
    return total
