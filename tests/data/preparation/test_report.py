"""A report counts what was found and what was not, and says where counts differ."""

from hsmtss_jax.data.preparation.checks import LeftOut
from hsmtss_jax.data.preparation.report import build_report, left_out_table, report_from_json


def report():
    rows = [("train", {"samples": 16000 * 1800, "licence": "CC0"}), ("test", {"samples": 0})]
    faults = [LeftOut("b.wav", "train", "missing", "no such file")]
    return build_report(
        {"train": 2, "test": 1},
        iter(rows),
        faults,
        rate=16000,
        expected={"train": 3, "all": 3},
        paper={"train": 1, "test": 5},
    )


def test_counts_and_differences():
    made = report()
    assert made.hours["train"] == 0.5 and made.licences["CC0"] == 0.5
    assert made.lines() == [
        "train: 2 listed, 1 clips, 0.50 h, 1 missing",
        "test: 1 listed, 1 clips, 0.00 h",
        "licence CC0: 0.50 h",
        "licence not stated: 0.00 h",
        "train: the tables list 2, the official ones are 3",
        "test: written 1, HSM-TSS's are 5",
    ]


def test_to_json_and_back():
    assert report_from_json({**report().as_json(), "more": 1}) == report()


def test_the_table_of_what_was_left_out():
    table = left_out_table(
        [LeftOut("b", "test", "damaged", "a, b"), LeftOut("a", "", "missing", "")]
    )
    assert table == 'file,split,kind,reason\na,,missing,\nb,test,damaged,"a, b"\n'
