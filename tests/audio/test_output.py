"""Options of written sound that exclude one another are refused when they are made."""

import pytest

from hsmtss_jax.audio.output import OutputOptions


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "xyz"}, "unknown format"),
        ({"format": "flac", "bit_depth": "float"}, "FLAC has 8, 16, 24"),
        ({"format": "mp3", "bit_depth": "16"}, "MP3 has no bit depth"),
        ({"format": "wav", "bitrate": 128}, "not with WAV"),
        ({"bitrate": 2}, "bitrate must be at least 6"),
        ({"bit_depth": "16", "clip_mode": "none"}, "clip mode none needs bit depth float"),
    ],
)
def test_refused(options, said):
    with pytest.raises(ValueError, match=said):
        OutputOptions(**options)


def test_changes():
    options = OutputOptions(bit_depth="24").replace(format="flac", bitrate=None)
    assert options == OutputOptions(format="flac", bit_depth="24")
