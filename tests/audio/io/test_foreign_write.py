"""Formats that libsndfile lacks: by ffmpeg, else by PyAV, else by nobody."""

import sys

from hsmtss_jax.audio.io import ffmpeg_write, pyav_write
from hsmtss_jax.audio.io.foreign_write import find_encoder


def test_ffmpeg_comes_first(ffmpeg):
    assert find_encoder() is ffmpeg_write and find_encoder(video=True) is ffmpeg_write


def test_without_either(no_ffmpeg, monkeypatch):
    monkeypatch.setattr(pyav_write, "available", lambda: False)
    assert find_encoder() is None


def test_pyav_writes_no_films(no_ffmpeg, monkeypatch):
    monkeypatch.setattr(pyav_write, "available", lambda: True)
    assert find_encoder() is pyav_write and find_encoder(video=True) is None


def test_a_folder_of_the_package_s_name_is_no_package(tmp_path, no_ffmpeg, monkeypatch):
    (tmp_path / "av").mkdir()
    monkeypatch.delitem(sys.modules, "av")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_encoder() is None
