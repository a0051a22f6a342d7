"""Acoustic decoder H3: codec tokens from local semantic features, one frame per step (HSM-TSS section III-E).

A prefix language model: [AudioMAE patches | start, a_0, ..., a_{T-1}] predicts a_0, ..., a_{T-1}, end.
All K tokens of a frame are predicted at once.

Legend: B batch, P patches (8 t + f), C audio width, M columns of patches, T frames, K groups, V codes,
D width.
"""

import dataclasses
from typing import Any, Literal

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange

from hsmtss_jax.config import Inherited
from hsmtss_jax.nn.positions import sincos_1d
from hsmtss_jax.nn.transformer import Transformer, TransformerConfig

Conditioning = Literal["prefix", "aligned", "columns", "cross"]
FRAMES_PER_COLUMN = 8  # a column of 16 fbank rows is 160 ms, a token frame 20 ms


@dataclasses.dataclass(frozen=True, kw_only=True)
class AcousticDecoderConfig:
    """Configure the decoder; the defaults are the paper's.

    condition: how the frames are conditioned on S. prefix: as tokens before them. aligned: the prefix, and
    the column of patches at frame t added to its input. columns: that addition alone, no prefix (half the
    sequence). cross: by cross-attention in every layer.
    """

    width: int = 1024
    depth: int = 12
    heads: int = 8
    groups: Inherited = 16
    codes: Inherited = 1024
    audio_width: Inherited = 768
    time_patches: Inherited = 64
    freq_patches: Inherited = 8
    condition: Conditioning = "prefix"
    mlp_ratio: int = 4
    dropout: float = 0.0
    approximate_gelu: bool = False
    remat: bool = False

    def __post_init__(self) -> None:
        if self.condition not in ("prefix", "aligned", "columns", "cross"):
            raise ValueError(
                f"unknown condition {self.condition!r}: use prefix, aligned, columns or cross"
            )

    @property
    def patches(self) -> int:
        """Return P, the patches of a window."""
        return self.time_patches * self.freq_patches

    @property
    def max_frames(self) -> int:
        """Return the token frames of a full window."""
        return self.time_patches * FRAMES_PER_COLUMN + 1

    @property
    def start(self) -> int:
        """Return the input id of the start token."""
        return self.codes

    @property
    def end(self) -> int:
        """Return the output class of the end token."""
        return self.codes

    @property
    def has_prefix(self) -> bool:
        """Return whether patches are tokens of the sequence."""
        return self.condition in ("prefix", "aligned")

    @property
    def has_columns(self) -> bool:
        """Return whether a column of patches is added to each frame."""
        return self.condition in ("aligned", "columns")

    @property
    def stack(self) -> TransformerConfig:
        """Return the config of the transformer stack."""
        return TransformerConfig(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            mlp_ratio=self.mlp_ratio,
            dropout=self.dropout,
            approximate_gelu=self.approximate_gelu,
            cross_attention=self.condition == "cross",
            remat=self.remat,
        )

    def make(self, dtype: Any = jnp.float32) -> "AcousticDecoder":
        """Create the module with compute dtype ``dtype``."""
        return AcousticDecoder(config=self, dtype=dtype)


def patch_positions(config: AcousticDecoderConfig) -> np.ndarray:
    """Compute the patches' time code [P, D] in token frames: column m covers frames 8 m ... 8 m + 7."""
    columns = np.arange(config.patches) // config.freq_patches
    centre = (FRAMES_PER_COLUMN - 1) / 2
    return sincos_1d(FRAMES_PER_COLUMN * columns + centre, config.width)


def frame_positions(config: AcousticDecoderConfig, frames: int) -> np.ndarray:
    """Compute the time code [T, D] of the frames."""
    return sincos_1d(np.arange(frames), config.width)


def frame_columns(config: AcousticDecoderConfig, frames: int) -> np.ndarray:
    """Return the column of each frame [T]; frames after the last column use the last."""
    return np.minimum(np.arange(frames) // FRAMES_PER_COLUMN, config.time_patches - 1)


def patch_mask(config: AcousticDecoderConfig, frames: jax.Array) -> jax.Array:
    """Mark the patches of the columns of each row's first ``frames`` [B] frames: bool [B, P]."""
    columns = jnp.arange(config.patches, dtype=jnp.int32) // config.freq_patches
    return FRAMES_PER_COLUMN * columns[None, :] < frames[:, None]


def hide_padding(patches: jax.Array, prefix_mask: jax.Array | None) -> jax.Array:
    """Set S [B, P, C] to zero where prefix_mask [B, P] is False, even where it is NaN."""
    if prefix_mask is None:
        return patches
    return jnp.where(prefix_mask[:, :, None], patches, 0.0)


def prefix_lm_mask(prefix: int, frames: int) -> np.ndarray:
    """Return bool [P + T, P + T]: the prefix sees the prefix, frame t the prefix and the frames up to t."""
    steps = np.arange(prefix + frames)
    return (steps[None, :] < prefix) | (
        (steps[:, None] >= prefix) & (steps[None, :] <= steps[:, None])
    )


@flax.struct.dataclass
class Conditions:
    """Hold the conditions of the frames. prefix: [B, P, D] or None; columns: [B, M, D] or None."""

    prefix: jax.Array | None
    columns: jax.Array | None


class Conditioner(nn.Module):
    """Project S to the transformer's width: patches with positions, columns of patches."""

    config: AcousticDecoderConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, patches: jax.Array) -> Conditions:
        """Project S, patches [B, P, C]. ValueError: another P or C."""
        cfg = self.config
        if patches.shape[1:] != (cfg.patches, cfg.audio_width):
            raise ValueError(
                f"the decoder takes {cfg.patches} patches of width {cfg.audio_width}, "
                f"got {patches.shape[1:]}"
            )
        # without parameters: the Dense behind it has its own scale and offset
        normed = nn.LayerNorm(
            epsilon=1e-6, use_bias=False, use_scale=False, dtype=jnp.float32, name="norm"
        )(patches)
        init = cfg.stack.kernel_init()
        prefix = columns = None
        if cfg.condition != "columns":
            prefix = nn.Dense(cfg.width, dtype=self.dtype, kernel_init=init, name="patch")(normed)
            bands = self.param("band_embedding", init, (cfg.freq_patches, cfg.width))
            code = jnp.tile(bands, (cfg.time_patches, 1)) + patch_positions(cfg)
            prefix = prefix + code.astype(self.dtype)[None]
        if cfg.has_columns:
            stacked = rearrange(normed, "b (m f) c -> b m (f c)", f=cfg.freq_patches)
            columns = nn.Dense(cfg.width, dtype=self.dtype, kernel_init=init, name="column")(
                stacked
            )
        return Conditions(prefix=prefix, columns=columns)


class AcousticDecoder(nn.Module):
    """Score tokens by teacher forcing. Parameters: conditioner, embedding, stack, head_kernel, head_bias."""

    config: AcousticDecoderConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        patches: jax.Array,
        tokens: jax.Array,
        *,
        prefix_mask: jax.Array | None = None,
        train: bool = False,
    ) -> jax.Array:
        """Compute logits float32 [B, T + 1, K, V + 1] of p(a_t | a_<t, S), the factors of HSM-TSS eq. (9).

        Class V is the end token.

        Args:
          patches: S [B, P, C].
          tokens: int [B, T, K] in [0, V).
          prefix_mask: bool [B, P], False for patches of padding, which are not attended to.
          train: enable dropout.

        Raises:
          ValueError: other patch shapes.
        """
        cfg = self.config
        patches = hide_padding(patches, prefix_mask)
        conditions = Conditioner(cfg, self.dtype, name="conditioner")(patches)
        prefix, columns = conditions.prefix, conditions.columns
        x = self._embed(tokens)
        frames = x.shape[1]
        x = x + jnp.asarray(frame_positions(cfg, frames), self.dtype)[None]
        if columns is not None:
            x = x + columns[:, frame_columns(cfg, frames)]
        visible = None if prefix_mask is None else prefix_mask[:, None, None, :]
        count = 0
        if cfg.has_prefix and prefix is not None:
            count = cfg.patches
            x = jnp.concatenate([prefix, x], axis=1)
        mask = jnp.asarray(prefix_lm_mask(count, frames))[None, None]
        if cfg.has_prefix and visible is not None:
            mask = mask & jnp.pad(visible, ((0, 0),) * 3 + ((0, frames),), constant_values=True)
        cross = cfg.condition == "cross"
        out = Transformer(cfg.stack, self.dtype, name="stack")(
            x,
            mask=mask,
            context=prefix if cross else None,
            context_mask=visible if cross else None,
            train=train,
        )
        return self._heads(out.x[:, count:])

    def _embed(self, tokens: jax.Array) -> jax.Array:
        """Embed [B, T, K] -> [B, T + 1, D]: the sum over groups, after the start token."""
        cfg = self.config
        shape = (cfg.groups, cfg.codes + 1, cfg.width)
        table = self.param("embedding", nn.initializers.truncated_normal(0.02), shape)
        start = jnp.pad(
            tokens.astype(jnp.int32), ((0, 0), (1, 0), (0, 0)), constant_values=cfg.start
        )
        rows = start + (cfg.codes + 1) * jnp.arange(cfg.groups, dtype=jnp.int32)[None, None, :]
        flat = rearrange(table, "k v d -> (k v) d").astype(self.dtype)
        return flat[rows].sum(axis=2)

    def _heads(self, x: jax.Array) -> jax.Array:
        """Apply the output heads: [B, T, D] -> float32 [B, T, K, V + 1]."""
        cfg = self.config
        kernel = self.param(
            "head_kernel", cfg.stack.kernel_init(), (cfg.groups, cfg.width, cfg.codes + 1)
        )
        bias = self.param("head_bias", nn.initializers.zeros, (cfg.groups, cfg.codes + 1))
        logits = jnp.einsum(
            "btd,kdv->btkv",
            x,
            kernel.astype(self.dtype),
            preferred_element_type=jnp.float32,
        )
        return logits + bias[None, None]
