"""Published lists: lines in their published form become pairs."""

import numpy as np
import pytest

from hsmtss_jax.audio.io import write_audio
from hsmtss_jax.evaluation.benchmarks.mixing import Recordings, mix
from hsmtss_jax.evaluation.benchmarks.published import PUBLISHED, read_published

LINES = {
    "esc50": "idx,caption,src_wav,noise_wav\n0,dog,1-100032-A-0.wav,5-207836-D-29.wav\n"
    "1,drinking sipping,5-207836-D-29.wav,1-100032-A-0.wav\n",
    "audiocaps": "idx,caption,labels,src_wav,noise_wav\n7,rain falls,Rain,Ya.wav,Yb.wav\n",
    "clotho": "idx,caption,src_wav,noise_wav1,noise_wav1\n7,rain falls,a b.wav,c.wav,d.wav\n",
    "music": "idx,caption,src_wav,noise_wav\n7,flute,Ya_0.wav,Yb_1.wav\n",
    "vggsound": "file_id,mix_wav,s0_wav,s0_text,s1_wav,s1_text\n"
    "a+++b,data/mix_wav/a+++b.wav,data/s0_wav/a+++b.wav,flute,data/s1_wav/a+++b.wav,sea lion\n",
    "audioset": 'idx,caption,src_wav,noise_wav\n0,Speech,"evaluation/data/audioset/class_id=0/'
    'class_id=0,index=000,source.wav","evaluation/data/audioset/class_id=0/class_id=0,index=000,'
    'mixture.wav"\n',
    "dcase2024": "source,noise,snr,caption\n12,345,-7,a car passes\n",
}


def read(name, tmp_path, *, ready=False):
    path = tmp_path / f"{name}.csv"
    path.write_text(LINES[name])
    return read_published(PUBLISHED[name], path, ready=ready)


def test_all_lists_are_tried():
    assert set(LINES) == set(PUBLISHED)


def test_esc50(tmp_path):
    first, second = read("esc50", tmp_path)
    assert (first.text, first.target, first.other) == (
        *("dog", "1-100032-A-0.wav", "5-207836-D-29.wav"),
    )
    assert first.text_other == second.text == "drinking sipping" and first.group == "100032"
    assert first.seconds == 5.0 and first.snr_db == 0.0


@pytest.mark.parametrize("name", ["esc50", "audiocaps", "clotho", "music"])
def test_ready_mixtures_of_audiosep(name, tmp_path):
    row = read(name, tmp_path, ready=True)[0]
    assert row.target == f"segment-{row.name}.wav" and row.mixture == f"mixture-{row.name}.wav"


def test_lists_with_paths(tmp_path):
    (row,) = read("vggsound", tmp_path, ready=True)
    assert (row.text, row.text_other, row.group) == ("flute", "sea lion", "a")
    assert row.mixture == "data/mix_wav/a+++b.wav" and row.target == "data/s0_wav/a+++b.wav"
    (row,) = read("audioset", tmp_path, ready=True)
    assert row.target == "class_id=0/class_id=0,index=000,source.wav" and row.text == "Speech"
    assert row.name == "class_id=0,index=000"


def test_dcase(tmp_path):
    (row,) = read("dcase2024", tmp_path)
    assert (row.target, row.other, row.snr_db) == ("12.wav", "345.wav", -7.0)


def test_what_is_not_published_so_is_refused(tmp_path):
    with pytest.raises(ValueError, match="only as ready mixtures: give --ready"):
        read("clotho", tmp_path)
    with pytest.raises(ValueError, match="without ready mixtures"):
        read("dcase2024", tmp_path, ready=True)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="is not the list esc50"):
        read_published(PUBLISHED["esc50"], tmp_path / "other.csv", ready=False)


FORMS = [
    (name, ready)
    for name, each in PUBLISHED.items()
    for ready, form in ((False, each.convert), (True, each.ready))
    if form
]


@pytest.mark.parametrize(("name", "ready"), FORMS)
def test_every_form_is_mixed_from_a_folder_of_its_layout(name, ready, tmp_path):
    rows = read(name, tmp_path, ready=ready)
    folder = tmp_path / "recordings"
    files = {file for row in rows for file in (row.target, row.other, row.mixture) if file}
    for i, file in enumerate(sorted(files)):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        tone = 0.1 * np.sin(2 * np.pi * 300 * (i + 1) * np.arange(32_000) / 32_000)
        write_audio(folder / file, tone, 32_000)
    recordings = Recordings(folder, 32_000)
    assert recordings.missing(rows) == []
    mixed = mix(rows[0], recordings)
    assert mixed.mixture.shape == mixed.target.shape and mixed.target.any()
    assert np.abs(mixed.mixture - mixed.target).max() > 0.01
