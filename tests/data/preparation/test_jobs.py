"""Jobs: cut by split, named by what they are made of, done once."""

import dataclasses

import numpy as np

from hsmtss_jax.data.preparation import jobs


@dataclasses.dataclass(frozen=True)
class Squares:
    """Make records of numbers; negative ones are damaged."""

    power: int = 2
    fields = {"id": "text", "audio": "audio"}  # noqa: RUF012

    def describe(self):
        return {"power": self.power}

    def records(self, items, left_out):
        for item in items:
            if item < 0:
                left_out.append(jobs.LeftOut(str(item), "train", "damaged", "below 0"))
            else:
                yield {"id": str(item), "audio": np.full(4, item**self.power, np.int16)}


def test_cut_by_split_in_order():
    items = [("a", 1), ("b", 2), ("a", 3), ("a", 4)]
    assert list(jobs.cut(items, 2)) == [
        jobs.Job("a", 0, (1, 3)),
        jobs.Job("a", 1, (4,)),
        jobs.Job("b", 0, (2,)),
    ]


def test_a_key_tells_what_it_is_made_of():
    job = jobs.Job("a", 0, (1, 2))
    key = jobs.key_of(Squares(), job)
    assert key == jobs.key_of(Squares(), jobs.Job("a", 0, (1, 2))) and key.startswith("a-00000-")
    assert key != jobs.key_of(Squares(3), job)
    assert key != jobs.key_of(Squares(), jobs.Job("a", 0, (1, 3)))


def test_done_once_and_damaged_files_again_where_wanted(tmp_path):
    task = Squares()
    good = jobs.write_job(str(tmp_path), task, jobs.Job("a", 0, (1, 2)))
    bad = jobs.write_job(str(tmp_path), task, jobs.Job("a", 1, (3, -1)))
    assert not jobs.is_done(str(tmp_path), good)
    assert [jobs.do_job(task, str(tmp_path), key) for key in (good, bad)] == [good, bad]
    assert jobs.is_done(str(tmp_path), good, retry=True) and jobs.is_done(str(tmp_path), bad)
    assert not jobs.is_done(str(tmp_path), bad, retry=True)
    done = jobs.read_done(str(tmp_path), bad, "a")
    assert done.count == 1 and done.left_out[0].file == "-1"
    assert done.rows() == [{"id": "3", "samples": 4}]
