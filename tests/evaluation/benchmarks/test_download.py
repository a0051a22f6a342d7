"""Downloads: whole and as they are known, or nothing."""

import hashlib

import pytest

from hsmtss_jax.cli.main import main
from hsmtss_jax.evaluation.benchmarks.download import download
from hsmtss_jax.evaluation.benchmarks.published import PUBLISHED

SUM = hashlib.sha256(b"a,b").hexdigest()


def test_a_file_is_fetched_once(tmp_path):
    source, target = tmp_path / "source.csv", tmp_path / "new" / "list.csv"
    source.write_bytes(b"a,b")
    download(source.as_uri(), target, SUM)
    assert target.read_bytes() == b"a,b"
    source.unlink()
    download(source.as_uri(), target, SUM)


def test_another_content_is_not_kept(tmp_path):
    source, target = tmp_path / "source.csv", tmp_path / "list.csv"
    source.write_bytes(b"a,c")
    with pytest.raises(ValueError, match="not the list that is meant"):
        download(source.as_uri(), target, SUM)
    assert not target.exists()
    target.write_bytes(b"a,c")
    with pytest.raises(ValueError, match=r"list\.csv has the sum"):
        download(source.as_uri(), target, SUM)


def test_what_cannot_be_had_is_one_line(tmp_path):
    with pytest.raises(OSError, match=r"cannot be had .* give the file with --source"):
        download((tmp_path / "nothing").as_uri(), tmp_path / "list.csv")


def test_every_published_list_says_where_it_is(tmp_path, capsys):
    assert all(each.url.startswith("https://") for each in PUBLISHED.values())
    (tmp_path / "esc50_published.csv").write_text("not the list")
    words = ["benchmark", "make", "esc50", f"--recordings={tmp_path}"]
    assert main([*words, "-o", str(tmp_path / "pairs.csv")]) == 2
    assert "not the list that is meant" in capsys.readouterr().err
