"""Tags around sound."""

import pytest

from hsmtss_jax.audio.io.tags import is_tag, tag_at, tags_before, tags_behind
from hsmtss_jax.audio.io.view import View

ID3V2 = b"ID3\4\0\0\0\0\1\2" + bytes(130)
ID3V1 = b"TAG" + b"x" * 125


def ape(flags):
    head = (2000).to_bytes(4, "little") + (52).to_bytes(4, "little") + (1).to_bytes(4, "little")
    return b"APETAGEX" + head + bytes([0, 0, 0, flags]) + bytes(8)


APE = ape(0xA0) + b"i" * 20 + ape(0x80)
LYRICS = b"LYRICSBEGIN" + b"la" * 10 + b"000031LYRICS200"


@pytest.mark.parametrize("before", [b"", ID3V2, ID3V2 + ID3V2])
@pytest.mark.parametrize(
    "behind", [b"", ID3V1, APE, APE + ID3V1, LYRICS + ID3V1, APE + LYRICS + ID3V1]
)
def test_before_and_behind(tmp_path, before, behind):
    (tmp_path / "a").write_bytes(before + b"sound" * 9 + behind)
    with View.whole(tmp_path / "a").open() as file:
        assert tags_before(file) == len(before)
        assert tags_behind(file, len(before) + 45 + len(behind)) == len(before) + 45
        assert is_tag(file, len(before) + 45) == bool(behind)


def test_between(tmp_path):
    (tmp_path / "a").write_bytes(b"sound" + APE + ID3V1 + ID3V2 + b"sound")
    with View.whole(tmp_path / "a").open() as file:
        size = len(APE + ID3V1 + ID3V2)
        assert tag_at(file, 5, size + 10) == size + 5 and tag_at(file, 0, 99) == 0
        assert tag_at(file, 5, 20) == 20
