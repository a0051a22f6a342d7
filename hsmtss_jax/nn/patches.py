"""Cut a time-frequency map into square patches, and invert this.

Legend: B batch, T time patches, F frequency patches, N = T * F tokens (token i = F * t + f),
P patch side, X = P * P pixels of a patch (time in the patch first, frequency in the patch fastest).
"""

import jax
from einops import rearrange


def patchify(x: jax.Array, patch: int) -> jax.Array:
    """Cut a map [B, T * P, F * P] into patches [B, N, X], time major, frequency fastest.

    Raises:
      ValueError: a side is not a multiple of ``patch``.
    """
    frames, bins = x.shape[-2:]
    if frames % patch or bins % patch:
        raise ValueError(f"a {frames} x {bins} map cannot be cut into {patch} x {patch} patches")
    return rearrange(x, "b (t p) (f q) -> b (t f) (p q)", p=patch, q=patch)


def unpatchify(patches: jax.Array, patch: int, freq_patches: int) -> jax.Array:
    """Invert ``patchify``: patches [B, N, X] -> map [B, T * P, F * P]."""
    return rearrange(patches, "b (t f) (p q) -> b (t p) (f q)", f=freq_patches, p=patch, q=patch)
