"""Random inputs of the separators, at tiny sizes."""

import jax
import jax.numpy as jnp

BATCH, TASK, TEXT, TEXT_WIDTH, GLOBAL_WIDTH, AUDIO_WIDTH = 2, 2, 6, 12, 16, 24


def condition(batch: int = BATCH) -> dict[str, jax.Array]:
    """t_cap, t_task and their masks; the second example has four tokens of text and one of task."""
    keys = jax.random.split(jax.random.key(0), 2)
    rows = jnp.arange(batch)[:, None]
    return {
        "t_cap": jax.random.normal(keys[0], (batch, TEXT, GLOBAL_WIDTH)),
        "t_cap_mask": jnp.arange(TEXT)[None, :] < TEXT - 2 * (rows % 2),
        "t_task": jax.random.normal(keys[1], (batch, TASK, TEXT_WIDTH)),
        "t_task_mask": jnp.arange(TASK)[None, :] < TASK - rows % 2,
    }


def count(tree: object) -> int:
    """Number of parameters of a (possibly abstract) tree."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))
