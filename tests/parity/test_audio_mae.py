"""AudioMAE's encoder with imported weights against the official network written with torch.nn, against
transformers' ViT, and against timm's where that can be imported."""

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.audio_mae import audio_mae_config, import_audio_mae
from tests.bundles.importers.synthetic import DEPTH, HEADS, TOKENS, WIDTH

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")
functional = torch.nn.functional


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = torch.nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        out = functional.scaled_dot_product_attention(*qkv)
        return self.proj(out.transpose(1, 2).reshape(batch, tokens, width))


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = torch.nn.LayerNorm(WIDTH, eps=1e-6)
        self.attn = Attention()
        self.norm2 = torch.nn.LayerNorm(WIDTH, eps=1e-6)
        self.mlp = Mlp()

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = torch.nn.Conv2d(1, WIDTH, 16, stride=16)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Encoder(torch.nn.Module):
    """The forward pass of AudioMAE without masking; modules carry the official names."""

    def __init__(self):
        super().__init__()
        self.patch_embed = PatchEmbed()
        self.cls_token = torch.nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = torch.nn.Parameter(torch.zeros(1, TOKENS + 1, WIDTH))
        self.blocks = torch.nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = torch.nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, x):
        x = self.patch_embed(x) + self.pos_embed[:, 1:]
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([cls, x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def randomise(model):
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(0.0, 0.3, generator=generator)
    return model.eval()


def compare(model, features):
    """Largest difference between our S and the patch tokens of ``features(x)``, x [B, 1, T, F]."""
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    config = audio_mae_config(state, HEADS)
    params = import_audio_mae(config, state)
    x = np.random.default_rng(0).normal(size=(2, 64, 128)).astype(np.float32)
    ours = jax.jit(lambda p, x: config.make().apply({"params": p}, x, method="encode"))(params, x)
    with torch.no_grad():
        theirs = features(torch.from_numpy(x)[:, None])[:, 1:].numpy()
    return np.abs(np.asarray(ours) - theirs).max()


def test_official_layout():
    model = randomise(Encoder())
    error = compare(model, model)
    print(f"AudioMAE, official layout: max abs error {error:.2e}")
    assert error <= 1e-4


def mislaid_positions(rows, columns, width):
    """The official table [1, 1 + rows * columns, width]: made for [columns, rows] patches, zeros for CLS.

    Row i of it codes (i // rows, i % rows), while token i lies at (i // columns, i % columns).
    """
    index = np.arange(rows * columns)
    omega = 10000.0 ** (-np.arange(width // 4) / (width // 4))
    parts = [np.outer(place, omega) for place in (index % rows, index // rows)]
    codes = [wave(part) for part in parts for wave in (np.sin, np.cos)]
    return np.concatenate([np.zeros((1, width)), np.concatenate(codes, axis=1)])[None]


OLDER_NAMES = {  # of transformers' ViT -> those of later 5.x
    "encoder.layer.": "layers.",
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
}
VIT_MODULES = {
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "attention.o_proj": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def official_names(state):
    """Transformers' ViT state under the names of the official AudioMAE and timm."""
    for older, name in OLDER_NAMES.items():
        state = {key.replace(older, name): value for key, value in state.items()}
    named = {
        "cls_token": state["embeddings.cls_token"],
        "pos_embed": state["embeddings.position_embeddings"],
    }
    for leaf in ("weight", "bias"):
        named[f"norm.{leaf}"] = state[f"layernorm.{leaf}"]
        patches = f"embeddings.patch_embeddings.projection.{leaf}"
        named[f"patch_embed.proj.{leaf}"] = state[patches]
        for i in range(DEPTH):
            for theirs, ours in VIT_MODULES.items():
                named[f"blocks.{i}.{ours}.{leaf}"] = state[f"layers.{i}.{theirs}.{leaf}"]
            parts = [state[f"layers.{i}.attention.{part}_proj.{leaf}"] for part in "qkv"]
            named[f"blocks.{i}.attn.qkv.{leaf}"] = np.concatenate(parts)
    return named


def test_transformers_vit_at_ten_seconds():
    """1024 x 128 log-mel, patches of 16, with CLS, and the mislaid position table as the weights' own."""
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=WIDTH,
        num_hidden_layers=DEPTH,
        num_attention_heads=HEADS,
        intermediate_size=4 * WIDTH,
        image_size=(1024, 128),
        patch_size=16,
        num_channels=1,
        layer_norm_eps=1e-6,
    )
    model = randomise(transformers.ViTModel(config, add_pooling_layer=False))
    table = mislaid_positions(64, 8, WIDTH).astype(np.float32)
    model.embeddings.position_embeddings.data = torch.from_numpy(table)
    state = official_names({name: value.numpy() for name, value in model.state_dict().items()})
    encode = jax.jit(lambda p, x: ours.make().apply({"params": p}, x, method="encode"))
    ours = audio_mae_config(state, HEADS)
    assert (ours.frames, ours.n_mels, ours.cls_token) == (1024, 128, True)
    params = import_audio_mae(ours, state)
    x = np.random.default_rng(0).normal(size=(2, 1024, 128)).astype(np.float32)
    with torch.no_grad():
        theirs = model(torch.from_numpy(x)[:, None]).last_hidden_state[:, 1:].numpy()
    error = np.abs(np.asarray(encode(params, x)) - theirs).max()
    print(f"AudioMAE, transformers' ViT at 1024 x 128: max abs error {error:.2e}")
    assert error <= 1e-4
    straight = mislaid_positions(8, 64, WIDTH)  # (i // 8, i % 8): where token i lies
    straight = {**params["encoder"], "pos": straight.astype(np.float32)}
    assert np.abs(np.asarray(encode({"encoder": straight}, x)) - theirs).max() > 0.1


def test_timm_layout():
    try:
        from timm.models.vision_transformer import VisionTransformer
    except (ImportError, RuntimeError):  # RuntimeError: a torchvision of another build than torch
        pytest.skip("needs timm and a torchvision that fits torch")
    model = VisionTransformer(
        img_size=(64, 128),
        patch_size=16,
        in_chans=1,
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=HEADS,
        num_classes=0,
        global_pool="",
    )
    model = randomise(model)
    error = compare(model, model.forward_features)
    print(f"AudioMAE, timm layout: max abs error {error:.2e}")
    assert error <= 1e-4
