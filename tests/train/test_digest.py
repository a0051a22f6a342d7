"""The digest of a checkpoint: every change of a covered file is noticed and named."""

import json

import pytest

from hsmtss_jax.train.digest import DIGEST, DamagedError, read_digest, verify, write_digest


@pytest.fixture
def folder(tmp_path):
    for part in ("state", "data", "config"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "content").write_bytes(bytes(range(64)))
    (tmp_path / "_CHECKPOINT_METADATA").write_text("{}")
    write_digest(tmp_path, 7, 0.5)
    return tmp_path


def test_what_was_written_is_whole(folder):
    assert verify(folder, 7) and read_digest(folder)["metric"] == 0.5
    (folder / "_CHECKPOINT_METADATA").write_text("rewritten at the commit")
    (folder / "further").write_text("is in nobody's way")
    assert verify(folder, 7)


@pytest.mark.parametrize("bit", [0, 3, 300, 511])
def test_every_bit_counts(folder, bit):
    path = folder / "state" / "content"
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="the bytes of its file state/content have changed"):
        verify(folder, 7)


def test_missing_cut_and_linked_files_are_named(folder):
    path = folder / "data" / "content"
    path.write_bytes(b"short")
    with pytest.raises(DamagedError, match="data/content has 5 bytes, not 64"):
        verify(folder, 7)
    path.unlink()
    with pytest.raises(DamagedError, match="data/content is missing"):
        verify(folder, 7)
    path.symlink_to(folder / "state" / "content")
    with pytest.raises(DamagedError, match="data/content is missing"):
        verify(folder, 7)


def test_a_digest_belongs_to_its_step(folder):
    with pytest.raises(DamagedError, match="a copy of step 7"):
        verify(folder, 8)
    document = json.loads((folder / DIGEST).read_text())
    (folder / DIGEST).write_text(json.dumps({**document, "step": 8}))
    with pytest.raises(DamagedError, match="has changed"):
        verify(folder, 8)
    for text in ("", "[]", "{}", "[" * 100_000):
        (folder / DIGEST).write_text(text)
        with pytest.raises(DamagedError, match="cannot be read"):
            verify(folder, 8)


def test_without_a_digest_nothing_is_known(folder, tmp_path):
    (folder / DIGEST).unlink()
    assert not verify(folder, 7)
