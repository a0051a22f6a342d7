"""The PyAV package encodes what libsndfile lacks, where there is no ffmpeg program."""

import numpy as np
import pytest

from hsmtss_jax.audio import io
from hsmtss_jax.audio.formats import FORMATS
from hsmtss_jax.audio.io import AudioError, Metadata
from hsmtss_jax.audio.output import OutputOptions
from tests.audio.io.sounds import tone

pytest.importorskip("av")
FOREIGN = [name for name, form in FORMATS.items() if not form.sndfile and not form.video]


@pytest.fixture(autouse=True)
def no_program(monkeypatch):
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("name", FOREIGN)
def test_formats(tmp_path, name, rate):
    x = tone(rate, 2, rate)
    metadata = Metadata(tags={"title": "Ünï"})
    with io.open_writer(tmp_path / f"a.{name}", rate, 2, metadata=metadata) as writer:
        for start in range(0, len(x), 7000):
            writer.write(x[start : start + 7000])
    got = io.read_audio(tmp_path / f"a.{name}")
    assert len(got.samples) / got.sample_rate == pytest.approx(1, abs=0.3)
    assert 0.8 < got.samples.std() / x.std() < 1.1
    if FORMATS[name].exact or name == "mka":
        np.testing.assert_allclose(got.samples, x, atol=2**-23)
    if name in ("m4a", "wma", "wv", "mka"):
        assert io.read_metadata(tmp_path / f"a.{name}").tags["title"] == "Ünï"


def test_films_take_the_program(tmp_path):
    with pytest.raises(AudioError, match="MP4 takes the ffmpeg program on PATH"):
        io.choose(tmp_path / "a.mp4", OutputOptions())
