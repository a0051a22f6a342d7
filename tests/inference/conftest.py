"""A separator with random weights, built once: nothing is trained, so what it separates means nothing."""

import dataclasses
from pathlib import Path

import pytest

from hsmtss_jax.inference import Separator
from hsmtss_jax.inference.pipeline import ROLES, Pipeline
from hsmtss_jax.inference.system import System
from hsmtss_jax.sampling.policies import Policy
from tests.upstream import tiny_upstream


@pytest.fixture(scope="package")
def system() -> System:
    """The tiny system; its codec is turned down, so that masks are neither open nor shut."""
    bundles = tiny_upstream(ROLES)
    codec = dict(bundles["tf_codec"].params)
    params = dict(codec["params"])
    decoder = dict(params["decoder"])
    decoder["out_kernel"] = 0.1 * decoder["out_kernel"]
    codec["params"] = params | {"decoder": decoder}
    bundles["tf_codec"] = dataclasses.replace(bundles["tf_codec"], params=codec)
    return System(Pipeline(bundles, Policy(temperature=0.7), {}, Path()))


@pytest.fixture(scope="package")
def separator(system) -> Separator:
    """Four sounds at once: the buckets of rows are 1 and 4."""
    return Separator(system, batch=4)
