"""Numbers of the signal that every network of the system shares."""

SAMPLE_RATE = 16_000  # [Hz]
CLIP_SECONDS = 10  # of AudioSet's clips, the longest window of AudioMAE
CLIP_SAMPLES = CLIP_SECONDS * SAMPLE_RATE
FBANK_FRAME, FBANK_HOP = 400, 160  # [samples] 25 ms every 10 ms
