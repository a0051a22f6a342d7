"""AudioMAE: a ViT over log-mel patches, pre-trained by masked reconstruction (HSM-TSS section III-B).

Encoder: Huang et al. 2022, "Masked Autoencoders that Listen". Decoder: Yadav et al. 2023, "Masked
Autoencoders with Multi-Window Local-Global Attention". HSM-TSS uses the encoder's output S as its local
semantic feature.

Legend: B batch, T x F grid of patches, N = T * F tokens (token i = F * t + f), K kept tokens,
X pixels of a patch, D encoder width, E decoder width.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from hsmtss_jax.audio.fbank import FbankConfig
from hsmtss_jax.nn.patches import patchify
from hsmtss_jax.nn.positions import sincos_1d, sincos_2d
from hsmtss_jax.nn.transformer import Mlp, Transformer, TransformerConfig
from hsmtss_jax.nn.windowed_attention import MultiWindowAttention

token_init = nn.initializers.normal(0.02)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AudioMAEConfig:
    """Configure AudioMAE; the defaults are ViT-B on ten seconds (512 tokens)."""

    frames: int = 1024  # fbank rows of a window, 10 ms each
    n_mels: int = 128
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    decoder_width: int = 384
    decoder_depth: int = 4
    decoder_windows: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 0, 0)  # one head each; 0 sees all
    mask_ratio: float = 0.8
    cls_token: bool = False  # the public AudioMAE checkpoints were trained with one
    position_table: bool = (
        False  # fixed positions stored with the weights: the public ones are mislaid
    )
    remat: bool = False

    @property
    def time_patches(self) -> int:
        return self.frames // self.patch

    @property
    def freq_patches(self) -> int:
        return self.n_mels // self.patch

    @property
    def patches(self) -> int:
        """Return N, the tokens of a window."""
        return self.time_patches * self.freq_patches

    @property
    def kept(self) -> int:
        """Return K, the tokens that the encoder sees in pre-training."""
        return int(self.patches * (1.0 - self.mask_ratio) + 1e-6)

    @property
    def decoder_heads(self) -> int:
        return len(self.decoder_windows)

    @property
    def fbank(self) -> FbankConfig:
        """Return the front end that computes the encoder's log-mel input (AudioSet statistics)."""
        return FbankConfig(frames=self.frames, n_mels=self.n_mels)

    @property
    def encoder(self) -> TransformerConfig:
        return TransformerConfig(
            width=self.width, depth=self.depth, heads=self.heads, init="xavier", remat=self.remat
        )

    @property
    def decoder(self) -> TransformerConfig:
        return TransformerConfig(
            width=self.decoder_width,
            depth=self.decoder_depth,
            heads=self.decoder_heads,
            init="xavier",
            remat=self.remat,
        )

    def make(self, dtype: Any = jnp.float32) -> "AudioMAE":
        """Create the module with compute dtype ``dtype``."""
        return AudioMAE(config=self, dtype=dtype)


@flax.struct.dataclass
class Masking:
    """Hold a random choice of patches.

    kept: int32 [B, K], the visible tokens. restore: int32 [B, N], the index of every token in
    [visible ; masked]. mask: float32 [B, N], 1 = masked.
    """

    kept: jax.Array
    restore: jax.Array
    mask: jax.Array


@flax.struct.dataclass
class MaskedPrediction:
    """Hold a reconstruction.

    prediction, target: [B, N, X] pixels of every patch. mask: [B, N], 1 where the loss is computed.
    """

    prediction: jax.Array
    target: jax.Array
    mask: jax.Array


def random_masking(key: jax.Array, batch: int, tokens: int, kept: int) -> Masking:
    """Choose ``kept`` visible tokens out of ``tokens`` uniformly, per example."""
    order = jnp.argsort(jax.random.uniform(key, (batch, tokens)), axis=1)
    restore = jnp.argsort(order, axis=1)
    return Masking(
        kept=order[:, :kept], restore=restore, mask=(restore >= kept).astype(jnp.float32)
    )


def _take(x: jax.Array, index: jax.Array) -> jax.Array:
    """Gather rows ``index`` [B, K] of x [B, N, D] -> [B, K, D]."""
    return jnp.take_along_axis(x, index[:, :, None], axis=1)


class Encoder(nn.Module):
    """Encode patches: embedding, fixed 2-D positions, pre-LN ViT, final LayerNorm.

    With ``position_table`` the positions, the CLS token's first, are a parameter without gradient: public
    weights only work with the table that they were trained with.
    """

    config: AudioMAEConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, patches: jax.Array, kept: jax.Array | None = None) -> jax.Array:
        """Encode patches [B, N, X], all N or only those in kept [B, K] -> [B, K or N, D]."""
        cfg = self.config
        cls_position, position = self._positions()
        if kept is not None:
            patches = _take(patches, kept)
            position = position[0][kept]
        embed = nn.Dense(
            cfg.width,
            dtype=self.dtype,
            kernel_init=nn.initializers.xavier_uniform(),
            name="patch_embed",
        )
        x = embed(patches) + position.astype(self.dtype)
        if cfg.cls_token:
            cls = self.param("cls_token", token_init, (1, 1, cfg.width)) + cls_position
            cls = cls.astype(self.dtype)
            x = jnp.concatenate([jnp.broadcast_to(cls, (x.shape[0], 1, cfg.width)), x], axis=1)
        x = Transformer(cfg.encoder, self.dtype, name="transformer")(x).x
        return x[:, 1:] if cfg.cls_token else x

    def _positions(self) -> tuple[jax.Array, jax.Array]:
        """Return positions of the CLS token [1, 1, D] (zeros unless in a table) and the patches [1, N, D]."""
        cfg = self.config
        code = sincos_2d(cfg.time_patches, cfg.freq_patches, cfg.width)[None]
        zero = np.zeros_like(code[:, :1])
        if not cfg.position_table:
            return jnp.asarray(zero), jnp.asarray(code)
        whole = np.concatenate([zero, code], axis=1) if cfg.cls_token else code
        table = jax.lax.stop_gradient(self.param("pos", lambda _: jnp.asarray(whole)))
        return (table[:, :1], table[:, 1:]) if cfg.cls_token else (jnp.asarray(zero), table)


class DecoderBlock(nn.Module):
    """Apply pre-LN multi-window attention and MLP; shaped for ``nn.scan``."""

    config: AudioMAEConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
        cfg = self.config.decoder

        def norm(name: str) -> nn.LayerNorm:
            return nn.LayerNorm(epsilon=cfg.norm_eps, dtype=self.dtype, name=name)

        attention = MultiWindowAttention(
            self.config.decoder_windows, self.dtype, cfg.kernel_init(), name="attention"
        )
        x = x + attention(norm("attention_norm")(x))
        x = x + Mlp(cfg, self.dtype, name="mlp")(norm("mlp_norm")(x))
        return x, None


class Decoder(nn.Module):
    """Predict pixels of every patch from visible and mask tokens. Dropped after pre-training."""

    config: AudioMAEConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, visible: jax.Array, restore: jax.Array) -> jax.Array:
        """Predict float32 [B, N, X] from visible [B, K, D] and restore [B, N], see ``Masking``."""
        cfg = self.config
        batch, kept, _ = visible.shape
        xavier = nn.initializers.xavier_uniform()
        x = nn.Dense(cfg.decoder_width, dtype=self.dtype, kernel_init=xavier, name="embed")(visible)
        empty = self.param("mask_token", token_init, (1, 1, cfg.decoder_width)).astype(x.dtype)
        empty = jnp.broadcast_to(empty, (batch, cfg.patches - kept, cfg.decoder_width))
        x = _take(jnp.concatenate([x, empty], axis=1), restore)
        x = x + jnp.asarray(sincos_1d(np.arange(cfg.patches), cfg.decoder_width), x.dtype)[None]
        block = nn.remat(DecoderBlock, prevent_cse=False) if cfg.remat else DecoderBlock
        blocks = nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=cfg.decoder_depth,
        )
        x, _ = blocks(cfg, self.dtype, name="blocks")(x, None)
        x = nn.LayerNorm(epsilon=cfg.decoder.norm_eps, dtype=self.dtype, name="norm")(x)
        return nn.Dense(cfg.patch**2, dtype=jnp.float32, kernel_init=xavier, name="predict")(x)


class AudioMAE(nn.Module):
    """Reconstruct masked log-mel patches. Parameters: ``encoder`` (released) and ``decoder``."""

    config: AudioMAEConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.encoder = Encoder(self.config, self.dtype)
        self.decoder = Decoder(self.config, self.dtype)

    def encode(self, x: jax.Array) -> jax.Array:
        """Encode a normalised log-mel [B, frames, mels] into the local semantic feature S [B, N, D].

        Uses the ``encoder`` parameters only.
        """
        return self.encoder(self._patches(x))

    def __call__(self, x: jax.Array, key: jax.Array) -> MaskedPrediction:
        """Mask patches of x [B, frames, mels] at random (``key``) and predict their pixels."""
        target = self._patches(x)
        masking = random_masking(key, target.shape[0], target.shape[1], self.config.kept)
        visible = self.encoder(target, masking.kept)
        prediction = self.decoder(visible, masking.restore)
        return MaskedPrediction(prediction=prediction, target=target, mask=masking.mask)

    def _patches(self, x: jax.Array) -> jax.Array:
        cfg = self.config
        if x.shape[1:] != (cfg.frames, cfg.n_mels):
            raise ValueError(
                f"AudioMAE expects [B, {cfg.frames}, {cfg.n_mels}], got {tuple(x.shape)}"
            )
        return patchify(x, cfg.patch)
