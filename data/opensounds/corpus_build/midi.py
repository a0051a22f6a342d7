"""Write random musical phrases as standard MIDI files. An event is (seconds, pitch, velocity, length)."""

import random
import struct
from collections.abc import Callable, Sequence

Event = tuple[float, int, int, float]

SCALES = [
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 7, 9),
    (0, 3, 5, 7, 10),
    (0, 2, 3, 5, 7, 9, 10),
]


def smf(events: Sequence[Event], program: int, channel: int) -> bytes:
    """Serialise a format 0 MIDI file, 480 ticks = 0.5 s; program -1 sends no program change."""
    messages = []
    for t, pitch, velocity, length in events:
        messages.append((t, 1, bytes([0x90 | channel, pitch, velocity])))
        messages.append((t + length, 0, bytes([0x80 | channel, pitch, 0])))
    messages.sort(key=lambda message: (message[0], message[1]))
    body = b"" if program < 0 else b"\0" + bytes([0xC0 | channel, program])
    last = 0
    for t, _, message in messages:
        tick = round(t * 960)
        body += _variable_length(tick - last) + message
        last = tick
    body += _variable_length(480) + b"\xff\x2f\0"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    return head + b"MTrk" + struct.pack(">I", len(body)) + body


def _variable_length(n: int) -> bytes:
    out = [n & 127]
    while n > 127:
        n >>= 7
        out.append(n & 127 | 128)
    return bytes(reversed(out))


def phrase(
    rng: random.Random, low: int, high: int, style: str, duration: float, start: float
) -> list[Event]:
    """Draw a phrase of ``duration`` seconds from ``start``, pitches in [low, high].

    Args:
      rng: source of randomness.
      low: lowest pitch.
      high: highest pitch.
      style: one of the styles of ``instruments``.
      duration: [s].
      start: [s].
    """
    end = start + duration
    loud = rng.randint(60, 115)

    def velocity() -> int:
        return max(30, min(127, int(rng.gauss(loud, 9))))

    if style == "d":
        return _drums(rng, duration, start, velocity)
    root = rng.randint(0, 11)
    scale = rng.choice(SCALES)
    notes = [pitch for pitch in range(low, high + 1) if (pitch - root) % 12 in scale]
    first = rng.randrange(len(notes))
    beat = 60 / rng.uniform(60, 150)
    if style == "c":
        events = _chords(rng, notes, beat, start, end, velocity)
    elif style == "a":
        events = _arpeggios(rng, notes, beat, start, end, velocity)
    else:
        events = _melody(rng, notes, first, style, beat, start, end, velocity)
    return [
        (t, pitch, loudness, max(0.05, min(length, end - t)))
        for t, pitch, loudness, length in events
        if t < end - 0.05
    ]


def _drums(
    rng: random.Random, duration: float, start: float, velocity: Callable[[], int]
) -> list[Event]:
    events: list[Event] = []
    beat = 60 / rng.uniform(80, 150)
    step = beat / rng.choice([2, 2, 4, 3])
    hat = rng.choice([42, 42, 46, 51, 51])
    per_beat = max(1, round(beat / step))
    for i in range(int(duration / step)):
        t = start + i * step
        in_bar, on_beat = (i // per_beat) % 4, i % per_beat == 0
        if rng.random() < 0.9:
            events.append((t, hat, velocity() - 20 if velocity() > 60 else velocity(), 0.1))
        if (on_beat and in_bar in (0, 2)) or rng.random() < 0.08:
            events.append((t, 36, velocity(), 0.1))
        if (on_beat and in_bar in (1, 3)) or rng.random() < 0.05:
            events.append((t, rng.choice([38, 38, 40, 37]), velocity(), 0.1))
        if rng.random() < 0.03:
            events.append((t, rng.choice([49, 57, 55]), velocity(), 0.3))
        if in_bar == 3 and rng.random() < 0.15:
            events.append((t, rng.choice([41, 43, 45, 47, 48, 50]), velocity(), 0.2))
    return events


def _chords(
    rng: random.Random,
    notes: Sequence[int],
    beat: float,
    t: float,
    end: float,
    velocity: Callable[[], int],
) -> list[Event]:
    events: list[Event] = []
    while t < end:
        base = rng.randrange(0, max(1, len(notes) - 7))
        length = beat * rng.choice([1, 2, 2, 4])
        stagger = rng.choice([0, 0, 0.02])
        for k, j in enumerate((0, 2, 4, 7)[: rng.choice([3, 3, 4])]):
            if base + j < len(notes):
                events.append((t + k * stagger, notes[base + j], velocity(), length * 0.92))
        t += length
    return events


def _arpeggios(
    rng: random.Random,
    notes: Sequence[int],
    beat: float,
    t: float,
    end: float,
    velocity: Callable[[], int],
) -> list[Event]:
    events: list[Event] = []
    while t < end:
        base = rng.randrange(0, max(1, len(notes) - 9))
        step = beat / rng.choice([2, 3, 4])
        degrees = [0, 2, 4, 7, 9, 7, 4, 2]
        if rng.random() < 0.3:
            rng.shuffle(degrees)
        for j in degrees:
            if t >= end:
                break
            pitch = notes[min(base + j, len(notes) - 1)]
            events.append((t, pitch, velocity(), step * rng.uniform(0.9, 2.0)))
            t += step
    return events


def _melody(
    rng: random.Random,
    notes: Sequence[int],
    i: int,
    style: str,
    beat: float,
    t: float,
    end: float,
    velocity: Callable[[], int],
) -> list[Event]:
    events: list[Event] = []
    while t < end:
        move = rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3, rng.randint(-6, 6)])
        i = max(0, min(len(notes) - 1, i + move))
        # every style draws all three, in this order: the corpus was made so
        slow, fast = rng.choice([2, 3, 4]), rng.choice([0.25, 0.25, 0.5])
        plain = rng.choice([0.5, 0.5, 1, 1, 1.5, 2])
        length = beat * {"s": slow, "f": fast}.get(style, plain)
        if rng.random() > 0.08:
            events.append((t, notes[i], velocity(), length * rng.uniform(0.6, 1.0)))
        t += length
    return events
