"""Do jobs on Apache Beam: on this machine, on Dataflow, Flink or Spark, by the pipeline's own options.

A job is an element; its output is named by its input (``jobs``), so a job that a runner does twice, or that a
run before has done, gives the same file. Needs the extra ``beam``.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from hsmtss_jax.data.preparation import storage
from hsmtss_jax.data.preparation.jobs import Task, do_job, is_done, read_done
from hsmtss_jax.data.preparation.workers import Runner

COUNTERS = "preparation"


def on_beam(arguments: Sequence[str], counts: dict[str, int] | None = None) -> Runner:
    """Return a runner that does all jobs in one Beam pipeline.

    Args:
      arguments: Beam's own command line: ["--runner=DataflowRunner", "--region=...", ...].
      counts: takes what the pipeline counted: records, files by kind of fault, jobs skipped.

    Raises ValueError when Beam is not installed.
    """
    beam = _beam()

    def run(task: Task, work: str, keys: Sequence[str]) -> Iterator[str]:
        from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions

        options = PipelineOptions(list(arguments))
        options.view_as(SetupOptions).save_main_session = False
        if not storage.is_remote(work):
            work = os.path.abspath(work)
        pipeline = beam.Pipeline(options=options)
        _ = (
            pipeline
            | "keys" >> beam.Create(list(keys))
            | "spread" >> beam.Reshuffle()
            | "do" >> beam.ParDo(_function(beam, task, work))
        )
        result = pipeline.run()
        result.wait_until_finish()
        if counts is not None:
            counts.update(_counted(result))
        yield from keys

    return run


def _beam() -> Any:
    try:
        import apache_beam
    except ImportError as error:
        raise ValueError(
            f'Beam is not installed ({error}): pip install "hsmtss-jax[beam]"'
        ) from error
    return apache_beam


def _function(beam: Any, task: Task, work: str) -> Any:
    """Return the DoFn of a job. Its class is made here, as Beam is an extra."""

    class DoJob(beam.DoFn):
        """Do a job, unless it has been done; count records and faults."""

        def setup(self) -> None:
            os.environ.setdefault("JAX_PLATFORMS", "cpu")
            os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

        def process(self, key: str) -> Iterator[str]:
            def count(name: str, number: int = 1) -> None:
                beam.metrics.Metrics.counter(COUNTERS, name).inc(number)

            if is_done(work, key):
                count("skipped")
                return
            do_job(task, work, key)
            done = read_done(work, key, "")
            count("records", done.count)
            for each in done.left_out:
                count(each.kind)
            yield key

    return DoJob()


def _counted(result: Any) -> dict[str, int]:
    found = result.metrics().query()["counters"]
    return {
        each.key.metric.name: each.result for each in found if each.key.metric.namespace == COUNTERS
    }
