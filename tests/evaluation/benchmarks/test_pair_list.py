"""Pair lists: round trip, digests, broken lines."""

import pytest

from hsmtss_jax.evaluation.benchmarks.pair_list import (
    PairRow,
    digest,
    read_pair_list,
    write_pair_list,
)

ROWS = [
    PairRow(name="0", text="a dog, barking", target="a.wav", other="b.wav", snr_db=-3.5),
    PairRow(name="1", text="rain", target="c.wav", mixture="m.wav", seconds=5.0, group="c"),
]


def test_round_trip(tmp_path):
    path = tmp_path / "new" / "pairs.csv"
    write_pair_list(path, ROWS)
    assert path.read_text().splitlines()[0] == "name,text,target,other,mixture,snr_db,seconds,group"
    assert read_pair_list(path) == ROWS
    assert digest(read_pair_list(path)) == digest(ROWS) != digest(ROWS[:1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "is no pair list"),
        ("name,text,target\n", "holds no pair"),
        ("name,text,target,other\n0,dog,a.wav,\n", r"pairs.csv:2: the pair 0 needs either"),
        ("name,text,target,other\n0,,a.wav,b.wav\n", r"pairs.csv:2: .*text"),
        ("name,text,target,other,snr_db\n0,dog,a,b,loud\n", "pairs.csv:2: could not convert"),
        (
            "name,text,target,other,snr_db\n0,dog,a,b,inf\n",
            "pairs.csv:2: the pair 0 has snr_db inf",
        ),
        ("name,text,target,other,start\n0,dog,a,b,-1\n", "pairs.csv:2: .*start -1"),
        ("name,text,target,other\n0,dog,a,b\n0,dog,a,b\n", "two pairs of one name: 0"),
    ],
)
def test_broken_lists_are_named(tmp_path, text, said):
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_pair_list(tmp_path / "pairs.csv")
