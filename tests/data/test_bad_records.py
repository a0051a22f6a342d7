"""Bad records are named and passed over; too many of them stop a run."""

import numpy as np
import pytest

from hsmtss_jax.data.bad_records import FEWEST, PassingOver, what_is_wrong


def view(index, rng):
    if index == 3:
        raise RuntimeError("CRC mismatch\nat 0x7f")
    return {"audio": np.full(8, index / 10 * (index != 5), np.float32), "at": np.int32(index)}


def passing(most=0.5):
    return PassingOver(view, range(1, 10), "clip {}".format, most)


def make(passes, index):
    return int(passes(index, np.random.default_rng([7, index]))["at"])


def test_another_record_takes_the_place_of_a_bad_one(caplog):
    passes = passing()
    drawn = [make(passes, index) for index in (1, 3, 5, 3)]
    assert drawn[0] == 1 and not {3, 5} & set(drawn)
    assert drawn[1] == drawn[3] == make(passing(), 3)
    assert [record.getMessage() for record in caplog.records][:2] == [
        "record clip 3 is passed over: CRC mismatch",
        "record clip 5 is passed over: it is silent (audio)",
    ]


def test_too_many_stop_the_run():
    with pytest.raises(ValueError, match=r"1 of 1 examples are bad, data\.bad_share=0 .* clip 3"):
        make(passing(0.0), 3)
    passes = passing(0.01)
    for _ in range(int(FEWEST * 0.01)):
        make(passes, 5)
    with pytest.raises(ValueError, match=r"data\.bad_share=0\.01 allows fewer"):
        for _ in range(FEWEST):
            make(passes, 5)
    broken = PassingOver(lambda index, rng: {}["audio"], range(3), str, 1.0)
    with pytest.raises(KeyError):
        broken(0, np.random.default_rng(0))


def test_what_is_wrong():
    sound, silence = np.ones(4, np.float32), np.zeros(4, np.float32)
    assert what_is_wrong({"audio": sound, "length": np.int32(0)}) is None
    assert what_is_wrong({"s_mixture": np.array([np.nan], np.float16)}).startswith("holds NaN")
    assert what_is_wrong({"mixture": sound, "target": silence}) == "is silent (target)"
    absent = {"mixture": sound, "target": silence, "present": np.bool_(False)}
    assert what_is_wrong(absent) is None
    assert what_is_wrong({**absent, "mixture": silence}) == "is silent (mixture)"
