"""State dicts with the public names and shapes of small networks, random values."""

import numpy as np

WIDTH = 16
HEADS = 2
DEPTH = 2
TOKENS = 32  # 4 x 8 patches of 16 x 16: 64 frames, 128 mels
GPT2 = {
    "model_type": "gpt2",
    "vocab_size": 29,
    "n_embd": WIDTH,
    "n_layer": DEPTH,
    "n_head": HEADS,
    "n_positions": 12,
    "activation_function": "gelu_new",
    "n_inner": None,
}


def fill(shapes, seed=0):
    """Normal values of scale 0.3."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=s).astype(np.float32) * 0.3 for name, s in shapes.items()}


def audio_mae_state(decoder=False):
    """The official AudioMAE's names (timm's are the same), with its decoder or without."""
    d = WIDTH
    shapes = {
        "cls_token": (1, 1, d),
        "pos_embed": (1, TOKENS + 1, d),
        "patch_embed.proj.weight": (d, 1, 16, 16),
        "patch_embed.proj.bias": (d,),
        "norm.weight": (d,),
        "norm.bias": (d,),
    }
    for i in range(DEPTH):
        for name, (out, into) in {
            "attn.qkv": (3 * d, d),
            "attn.proj": (d, d),
            "mlp.fc1": (4 * d, d),
            "mlp.fc2": (d, 4 * d),
        }.items():
            shapes |= {f"blocks.{i}.{name}.weight": (out, into), f"blocks.{i}.{name}.bias": (out,)}
        for name in ("norm1", "norm2"):
            shapes |= {f"blocks.{i}.{name}.{leaf}": (d,) for leaf in ("weight", "bias")}
    if decoder:
        shapes |= {"mask_token": (1, 1, 8), "decoder_pos_embed": (1, 33, 8)}
        shapes |= {"decoder_embed.weight": (8, d), "decoder_blocks.0.attn.logit_scale": (2, 1, 1)}
    return fill(shapes)


def gpt2_state(prefix=""):
    """Hugging Face's names; kernels [in, out]; causal masks as older files carry them."""
    d = WIDTH
    shapes = {"wte.weight": (29, d), "wpe.weight": (12, d), "ln_f.weight": (d,), "ln_f.bias": (d,)}
    for i in range(DEPTH):
        for name, (into, out) in {
            "attn.c_attn": (d, 3 * d),
            "attn.c_proj": (d, d),
            "mlp.c_fc": (d, 4 * d),
            "mlp.c_proj": (4 * d, d),
        }.items():
            shapes |= {f"h.{i}.{name}.weight": (into, out), f"h.{i}.{name}.bias": (out,)}
        for name in ("ln_1", "ln_2"):
            shapes |= {f"h.{i}.{name}.{leaf}": (d,) for leaf in ("weight", "bias")}
        shapes[f"h.{i}.attn.bias"] = (1, 1, 12, 12)
    return {prefix + name: value for name, value in fill(shapes).items()}


def mw_mae_params():
    """MW-MAE's flax tree: two encoder blocks, the rest in outline."""
    d = WIDTH

    def norm():
        return {"scale": (d,), "bias": (d,)}

    def dense(into, out):
        return {"kernel": (into, out), "bias": (out,)}

    tree = {
        "patch_embed": {"proj": {"kernel": (4, 16, 1, d), "bias": (d,)}},
        "pos_embed": (1, 250, d),
        "encoder_norm": norm(),
        "decoder_embed": dense(d, 8),
        "decoder_block_00": {"wmha_block": {"qkv": dense(8, 24)}},
    }
    for i in range(DEPTH):
        tree[f"encoder_block_{i:02d}"] = {
            "LayerNorm_0": norm(),
            "Attention_0": {"Dense_0": dense(d, 3 * d), "Dense_1": dense(d, d)},
            "LayerNorm_1": norm(),
            "Mlp_0": {"Dense_0": dense(d, 4 * d), "Dense_1": dense(4 * d, d)},
        }
    rng = np.random.default_rng(0)

    def values(node):
        if isinstance(node, dict):
            return {name: values(child) for name, child in node.items()}
        return rng.normal(size=node).astype(np.float32)

    return values(tree)
