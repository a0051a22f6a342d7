"""Numbers of the signal that every network of the system shares."""

SAMPLE_RATE = 16_000  # [Hz]
WORKING_LEVEL = 10 ** (-20 / 20)  # RMS of the active parts that every recording is brought to
ACTIVE_FRAMES, ACTIVE_RANGE = (
    40,
    1e-3,
)  # frames in a second; power of an active one, of the loudest's
CLIP_SECONDS = 10  # of AudioSet's clips, the longest window of AudioMAE
CLIP_SAMPLES = CLIP_SECONDS * SAMPLE_RATE
FBANK_FRAME, FBANK_HOP = 400, 160  # [samples] 25 ms every 10 ms
