"""A metric by description: the worst first, every description as heavy as another in their mean."""

import dataclasses
import math

import pytest

from hsmtss_jax.evaluation.benchmarks.classes import class_table
from hsmtss_jax.metrics.tables import Column
from tests.evaluation.benchmarks.test_choice import score

SDRI = Column("sdri", "SDRi (dB) ↑")


def said(index, text, value, route="mask"):
    return dataclasses.replace(score(index, value, route=route), text=text)


def test_a_row_a_description():
    rows = [said(i, "dog", 4.0) for i in range(6)] + [said(i, "cat", 1.0) for i in range(6, 8)]
    frame = [said(i, "dog", 0.0, "mixture") for i in range(6)]
    table = class_table([*rows, *frame], SDRI)
    over, *classes = table.rows
    assert [row.name for row in classes] == ["cat (2)", "dog (6)"]
    assert over.name == "mean over 2 descriptions" and over.cells["mask"].mean == pytest.approx(2.5)
    assert classes[1].cells["mask"].mean == pytest.approx(4.0)
    assert [column.key for column in table.columns] == ["mask"]


def test_captions_and_nothing_finite_have_no_table():
    assert class_table([said(i, f"sound {i}", 1.0) for i in range(5)], SDRI) is None
    assert class_table([said(i, "dog", math.inf) for i in range(5)], SDRI) is None
    assert class_table([said(i, "dog", 1.0, "mixture") for i in range(5)], SDRI) is None
