"""HSM-TSS as the paper writes it (Fig. 2): HSM-TSS eq. (2) to (4) as pure functions of {role: params}.

    G_hat = H1(G_mix, T)            separate_global     HSM-TSS eq. (2)
    S_hat = H2(S_mix, G_hat, T)     separate_local      HSM-TSS eq. (3)
    x_hat = H3(S_hat)               generate            HSM-TSS eq. (4)

``decode_mask`` is a second way from S_hat to the sound, not in the paper: a mask on the mixture itself.

``Networks`` holds the configs; weights are always an argument. Nothing of the mixture but S_mix and G_mix
reaches S_hat, and nothing but S_hat reaches the sound: it is aligned with the mixture in time, not in phase.

Legend: B windows, L samples, N text tokens, P patches, T token frames, K groups, Ca width of S, Cg of G,
E of the contrastive space.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from hsmtss_jax.models import mask_decoder
from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig, patch_mask
from hsmtss_jax.models.acoustic_decoder.sampler import sample
from hsmtss_jax.models.mask_decoder import MaskDecoderConfig, MaskOutput, Steering
from hsmtss_jax.models.semantics import Encoders, Semantics
from hsmtss_jax.models.separators import Separators, TextCondition, TwoStage
from hsmtss_jax.models.tf_codec.adapter import NeuralCodec
from hsmtss_jax.sampling.policies import Policy

Params = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Networks:
    """Hold the networks of a system, without their weights."""

    encoders: Encoders
    separators: Separators
    decoder: AcousticDecoderConfig
    codec: NeuralCodec
    mask_padding: bool = True  # the decoder was trained without the patches behind a clip's end
    mask_decoder: MaskDecoderConfig | None = None

    @property
    def two_stage(self) -> bool:
        """Return False for the single-stage ablation, which predicts no G."""
        return isinstance(self.separators, TwoStage)


@flax.struct.dataclass
class Query:
    """Hold encoded instructions, one a row.

    condition: what the separators read. vector: z_t [B, E]. caption: the [CLS] of T_cap [B, Cg]. task: int
    [B], place in ``TASKS``.
    """

    condition: TextCondition
    vector: jax.Array
    caption: jax.Array
    task: jax.Array


@flax.struct.dataclass
class Prediction:
    """Hold the predicted semantics of a target, s [B, P, Ca] and g [B, 1, Cg], and cosines [B].

    target_cosine: of the description to the sound that s describes; mixture_cosine: to the mixture; both
    in the contrastive space of Q-Audio. Arrays of JAX under ``jit``, of numpy from the runtime.
    """

    s: Any
    g: Any
    target_cosine: Any
    mixture_cosine: Any


def encode_query(
    networks: Networks, params: Params, ids: jax.Array, mask: jax.Array, task: jax.Array
) -> Query:
    """Encode instructions: their descriptions and their tasks.

    Args:
      networks: the configs of the system.
      params: parameters by role.
      ids: int32 [B, N], tokens of the descriptions.
      mask: bool [B, N], False for padding.
      task: int32 [B], numbers of the tasks.
    """
    encoders = networks.encoders
    text, text_mask = encoders.text(params, ids, mask)
    vector, caption = encoders.caption_vector(params, text), text[:, 0]
    if not networks.two_stage:  # reads the text encoder as it is, without [CLS]
        text, text_mask = encoders.raw_text(params, ids, mask), mask
    limit = networks.separators.max_text + networks.two_stage
    missing = limit - text.shape[1]  # the separators are one program for all lengths of text
    text = jnp.pad(text, ((0, 0), (0, missing), (0, 0)))
    text_mask = jnp.pad(text_mask, ((0, 0), (0, missing)))
    condition = TextCondition(text, text_mask, *encoders.task(params, task))
    return Query(condition, vector, caption, task)


def encode_mixture(networks: Networks, params: Params, audio: jax.Array) -> Semantics:
    """Compute S_mix and G_mix of audio [B, L] at 16 kHz."""
    return networks.encoders.encode(params, audio)


def separate_global(
    networks: Networks, params: Params, mixture: Semantics, query: Query
) -> jax.Array:
    """Predict the target's global feature G_hat [B, 1, Cg]: HSM-TSS eq. (2)."""
    separators = networks.separators
    if not isinstance(separators, TwoStage):
        raise ValueError("the single-stage ablation predicts no G: give a two-stage pipeline")
    weights = params[separators.role]
    return separators.predict_global(weights, mixture.g, query.condition)


def separate_local(
    networks: Networks, params: Params, mixture: Semantics, g: jax.Array | None, query: Query
) -> jax.Array:
    """Predict the target's local features S_hat [B, P, Ca] given g [B, 1, Cg]: HSM-TSS eq. (3).

    Args:
      networks: the configs of the system.
      params: parameters by role.
      mixture: S [B, P, Ca] and G [B, 1, Cg] of the mixture.
      g: [B, 1, Cg]; the single-stage ablation reads none.
      query: the encoded instructions.
    """
    separators = networks.separators
    weights = params[separators.role]
    if not isinstance(separators, TwoStage):
        return separators(weights, mixture, query.condition).s_hat
    if g is None:
        raise ValueError("the local separator is conditioned on G: give g")
    return separators.predict_local(weights, mixture.s, g, query.condition)


def separate(
    networks: Networks,
    params: Params,
    mixture: Semantics,
    query: Query,
    g: jax.Array | None = None,
) -> Semantics:
    """Predict the target's semantics: HSM-TSS eq. (2), unless g is given, and (3).

    The G of the single-stage ablation is what Q-Audio reads in its S_hat.

    Args:
      networks: the configs of the system.
      params: parameters by role.
      mixture: S [B, P, Ca] and G [B, 1, Cg] of the mixture.
      query: the encoded instructions.
      g: [B, 1, Cg] in place of the predicted one.
    """
    if networks.two_stage and g is None:
        g = separate_global(networks, params, mixture, query)
    s = separate_local(networks, params, mixture, g, query)
    return Semantics(s=s, g=networks.encoders.global_(params, s) if g is None else g)


def predict(
    networks: Networks,
    params: Params,
    mixture: Semantics,
    query: Query,
    g: jax.Array | None = None,
) -> Prediction:
    """Run both separators, or H2 alone given g, and compare the outcome with the description.

    Args:
      networks: the configs of the system.
      params: parameters by role.
      mixture: S [B, P, Ca] and G [B, 1, Cg] of the mixture.
      query: the encoded instructions.
      g: [B, 1, Cg] in place of the predicted one.
    """
    found = separate(networks, params, mixture, query, g)
    encoders = networks.encoders
    return Prediction(
        s=found.s,
        g=found.g,
        target_cosine=_cosine(encoders.audio_vector(params, found.s), query.vector),
        mixture_cosine=_cosine(encoders.global_vector(params, mixture.g), query.vector),
    )


def similarity(
    networks: Networks,
    params: Params,
    audio: jax.Array,
    query: Query,
    g: jax.Array,
    by_text: jax.Array,
) -> jax.Array:
    """Compute how near Q-Audio finds audio to what was asked for: cosines [B].

    Args:
      networks: the configs of the system.
      params: parameters by role.
      audio: [B, L] at 16 kHz.
      query: the encoded instructions.
      g: [B, 1, Cg], the predicted G.
      by_text: bool [B]; rows where it is true are compared with the description, the others with g.
    """
    encoders = networks.encoders
    vector = encoders.audio_vector(params, encoders.local(params, audio))
    predicted = encoders.global_vector(params, g)
    return _cosine(vector, jnp.where(by_text[:, None], query.vector, predicted))


def _cosine(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return the cosines [B] of rows of unit length, [B, E] each."""
    return jnp.einsum("be,be->b", a, b)


def global_attention(
    networks: Networks,
    params: Params,
    mixture: Semantics,
    query: Query,
    g: jax.Array | None = None,
) -> jax.Array:
    """Return how G_hat, or g, attends to the patches in H2's last layer: [B, H, P] (Fig. 6).

    Args:
      networks: the configs of the system.
      params: parameters by role.
      mixture: S [B, P, Ca] and G [B, 1, Cg] of the mixture.
      query: the encoded instructions.
      g: [B, 1, Cg] in place of the predicted one.

    Raises ValueError for the single-stage ablation, which has no G token.
    """
    separators = networks.separators
    if not isinstance(separators, TwoStage):
        raise ValueError(
            "a single-stage pipeline has no G token whose attention could be drawn: "
            "give a pipeline with a joint separator"
        )
    weights = params[separators.role]
    out = separators(
        weights,
        mixture,
        query.condition,
        choose=lambda g_hat: g_hat if g is None else g,
        return_attention=True,
    )
    return out.local.global_attention()


def decode_mask(
    networks: Networks,
    params: Params,
    audio: jax.Array,
    mixture: Semantics,
    target: Semantics,
    query: Query,
) -> MaskOutput:
    """Predict the target's mask on the mixture.

    Args:
      networks: the configs of the system.
      params: parameters by role.
      audio: the mixture [B, L] at 16 kHz and at working level.
      mixture: its S [B, P, Ca] and G [B, 1, Cg].
      target: S_hat [B, P, Ca] and G_hat [B, 1, Cg].
      query: the encoded instructions.

    Raises ValueError for a pipeline without a mask decoder.
    """
    config = networks.mask_decoder
    if config is None:
        raise ValueError("the pipeline holds no mask decoder: make the mask from generated sound")
    steering = Steering(
        s_mix=mixture.s,
        s_hat=target.s,
        g_mix=mixture.g,
        g_hat=target.g,
        text=query.caption,
        task=query.task,
    )
    dtype = networks.encoders.dtype
    return mask_decoder.decode_mask(config, params["mask_decoder"], audio, steering, dtype)


def generate(
    networks: Networks,
    params: Params,
    s: jax.Array,
    seeds: jax.Array,
    policy: Policy,
    *,
    samples: int,
) -> jax.Array:
    """Draw the target's sound [B, samples] from its S: HSM-TSS eq. (4).

    Codec tokens are sampled autoregressively, then decoded.

    Args:
      networks: the configs of the system.
      params: parameters by role.
      s: [B, P, Ca].
      seeds: uint32 [B].
      policy: how tokens are chosen.
      samples: of the sound, at 16 kHz.
    """
    frames = networks.codec.token_frames(samples)
    visible = visible_patches(networks, jnp.full(len(s), frames))
    tokens = sample(
        networks.decoder,
        params["acoustic_decoder"],
        s,
        frames,
        seeds,
        policy,
        prefix_mask=visible,
        dtype=networks.encoders.dtype,
    )
    return decode(networks, params, tokens, samples)


def visible_patches(networks: Networks, frames: jax.Array) -> jax.Array:
    """Return which patches the decoder may see of clips of ``frames`` [B] token frames: bool [B, P].

    Those behind a clip's end are hidden where training hid them.
    """
    if networks.mask_padding:
        return patch_mask(networks.decoder, frames)
    return jnp.ones((len(frames), networks.decoder.patches), bool)


def encode_tokens(networks: Networks, params: Params, audio: jax.Array) -> jax.Array:
    """Encode audio [B, L] into codec tokens int32 [B, T, K]."""
    return networks.codec.encode(params["tf_codec"], audio)


def decode(networks: Networks, params: Params, tokens: jax.Array, samples: int) -> jax.Array:
    """Decode codec tokens [B, T, K] into sound [B, samples] in [-1, 1]."""
    sound = networks.codec.decode(params["tf_codec"], tokens, samples)
    return jnp.clip(sound, -1.0, 1.0)
