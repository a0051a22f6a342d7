"""Q-Audio's loss and gradient on a mesh; as a program, one of several processes that share the mesh.

python -m tests.stages.q_audio_gradient COORDINATOR PROCESS OUT.npz
"""

import dataclasses
import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax import dist
from hsmtss_jax.bundles.bundle import flatten
from hsmtss_jax.config import MeshConfig
from hsmtss_jax.testing import processes
from hsmtss_jax.testing.bundles import draw, frozen_params, make_stage
from hsmtss_jax.testing.encoders import stub
from hsmtss_jax.train.stage import StepInput

BATCH = 8
PATCHES = 6
SHARD_FROM = 64  # so that the tiny parameters are split over fsdp too
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}  # to compile


@functools.cache
def stage():
    """The tiny stage without dropout, its frozen encoders replaced by look-ups in the batch."""
    tiny = make_stage("q_audio", batch_size=BATCH)
    model = dataclasses.replace(tiny.config.model, dropout=0.0)
    stage = type(tiny)(dataclasses.replace(tiny.config, model=model), tiny.data, tiny.upstream)
    width = model.audio_width
    encoders = stage.encoders
    stage.encoders = stub(
        encoders,
        local_fn=lambda params, audio: audio[:, : PATCHES * width].reshape(-1, PATCHES, width),
        raw_text_fn=lambda params, ids, mask: encoders.token_table(params)[ids],
    )
    return stage


def host_batch():
    """Examples 2 and 5 carry the same caption."""
    rng = np.random.default_rng(0)
    spec = stage().batch_spec()
    ids = rng.integers(4, 60, spec["text_ids"].shape)
    ids[5] = ids[2]
    lengths = np.array([5, 9, 16, 4, 7, 16, 12, 3])
    mask = np.arange(ids.shape[1])[None] < lengths[:, None]
    captions = np.arange(BATCH)
    captions[5] = 2
    return {
        "audio": rng.normal(size=spec["audio"].shape).astype(np.float32),
        "length": np.full(BATCH, 1, np.int32),
        "text_ids": (ids * mask).astype(np.int32),
        "text_mask": mask,
        "caption_id": captions.astype(np.int32),
    }


def loss_and_gradient(mesh):
    """{"loss": [], parameter: gradient} on the host, of a batch of which each process holds its part."""
    frozen, key = frozen_params(stage()), jax.random.key(3)
    shapes = jax.eval_shape(stage().init, key, stage().batch_spec(), frozen)[0]
    part = BATCH // jax.process_count()
    start = part * jax.process_index()
    local = {name: value[start : start + part] for name, value in host_batch().items()}
    inputs = StepInput(
        params=dist.put_params(mesh, draw(shapes, "q_audio"), SHARD_FROM),
        aux={},
        frozen=dist.put_params(mesh, {"text_encoder": frozen["text_encoder"]}, SHARD_FROM),
        batch=dist.put_batch(mesh, local),
        key=dist.replicate(mesh, key),
        step=dist.replicate(mesh, jnp.zeros((), jnp.int32)),
    )
    objective = stage().objectives()["model"]

    def run(inputs):
        def loss(params):
            return objective(inputs.replace(params=params))

        (value, report), gradient = jax.value_and_grad(loss, has_aux=True)(inputs.params)
        return {"loss": value, "metrics": report.metrics, "gradient": gradient["model"]}

    compiled = jax.jit(run, out_shardings=dist.replicated(mesh), compiler_options=QUICK)
    return flatten(jax.device_get(compiled(inputs)))


def main(coordinator, process, out):
    processes.join(coordinator, process)
    mesh = dist.make_mesh(MeshConfig(data=-1, fsdp=2, multi_host=True))
    found = loss_and_gradient(mesh)
    if dist.is_main():
        np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
