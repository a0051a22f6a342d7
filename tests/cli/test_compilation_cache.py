"""Where compiled programs are kept."""

import jax
import pytest

from hsmtss_jax.cli.compilation_cache import compilation_cache, enable_compilation_cache


@pytest.fixture
def unset():
    """JAX has not been told of a folder."""
    told = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", told)


def test_the_folder_is_made_in_the_users_cache(unset, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compilation_cache() == tmp_path / "hsmtss_jax" / "xla"
    assert compilation_cache().is_dir()


def test_a_folder_that_jax_was_told_of_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = jax.config.values["jax_compilation_cache_dir"]
    enable_compilation_cache()
    assert jax.config.values["jax_compilation_cache_dir"] == before
    assert not list(tmp_path.iterdir())


def test_without_a_place_there_is_none(unset, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compilation_cache() is None
    enable_compilation_cache()
    assert not jax.config.values["jax_compilation_cache_dir"]


def test_a_user_without_a_home_has_none(unset, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", nowhere)
    assert compilation_cache() is None
