"""A tiny AudioSep checkpoint with the public names, random values: network and CLAP's text tower."""

import json

import numpy as np

CHANNELS, QUERY, N_FFT = (4, 6), 16, 512
WIDTH, MLP, DEPTH, POSITIONS = 64, 96, 2, 42  # of CLAP's RoBERTa; one head of 64
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", "Ġ"]
VOCAB = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *LETTERS, "<mask>"])}


def network_state(prefix="ss_model."):
    """ResUNet30's tensors at two levels, with those that nothing reads."""
    shapes = {"base.bn0": (N_FFT // 2 + 1,)}
    state, rng = {}, np.random.default_rng(0)

    def put(name, *shape):
        state[prefix + name] = (0.3 * rng.normal(size=shape)).astype(np.float32)

    def norm(name, width):
        for leaf in ("weight", "bias", "running_mean"):
            put(f"{name}.{leaf}", width)
        state[f"{prefix}{name}.running_var"] = np.full(width, 1.5, np.float32)
        state[f"{prefix}{name}.num_batches_tracked"] = np.array(7)

    def film(name, width):
        put(f"film.{name.replace('.', '->')}.weight", width, QUERY)
        put(f"film.{name.replace('.', '->')}.bias", width)

    def block(name, into, out):
        for number, width in ((1, into), (2, out)):
            norm(f"base.{name}.bn{number}", width)
            film(f"{name}.beta{number}", width)
            put(f"base.{name}.conv{number}.weight", out, width, 3, 3)
        if into != out:
            put(f"base.{name}.shortcut.weight", out, into, 1, 1)
            put(f"base.{name}.shortcut.bias", out)

    norm("base.bn0", shapes["base.bn0"][0])
    put("base.stft.conv_real.weight", N_FFT // 2 + 1, 1, N_FFT)
    put("base.istft.reverse.weight", N_FFT, N_FFT, 1)
    for name, out, into in (("pre_conv", CHANNELS[0], 1), ("after_conv", 3, CHANNELS[0])):
        put(f"base.{name}.weight", out, into, 1, 1)
        put(f"base.{name}.bias", out)
    block("encoder_block1.conv_block1", 4, 4)
    block("encoder_block2.conv_block1", 4, 6)
    block("conv_block3a.conv_block1", 6, 6)
    for name, into, out, size in (
        ("decoder_block1", 6, 6, (1, 2)),
        ("decoder_block2", 6, 4, (2, 2)),
    ):
        for number in (1, 2):
            norm(f"base.{name}.bn{number}", into)
            film(f"{name}.beta{number}", into)
        put(f"base.{name}.conv1.weight", into, out, *size)
        block(f"{name}.conv_block2", 2 * out, out)
    return state


def clap_state(prefix="module."):
    """LAION's names, with an audio tower in outline."""
    shapes = {
        "text_branch.embeddings.word_embeddings.weight": (len(VOCAB), WIDTH),
        "text_branch.embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "text_branch.embeddings.token_type_embeddings.weight": (1, WIDTH),
        "audio_branch.patch_embed.proj.weight": (4, 1, 4, 4),
        "audio_projection.0.weight": (QUERY, 8),
        "text_transform.sequential.0.weight": (QUERY, QUERY),
        "logit_scale_a": (),
    }

    def linear(name, out, into):
        return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}

    def norm(name):
        return {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}

    shapes |= norm("text_branch.embeddings.LayerNorm") | linear(
        "text_branch.pooler.dense", WIDTH, WIDTH
    )
    for i in range(DEPTH):
        layer = f"text_branch.encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= linear(f"{layer}.attention.{part}", WIDTH, WIDTH)
        shapes |= norm(f"{layer}.attention.output.LayerNorm") | norm(f"{layer}.output.LayerNorm")
        shapes |= linear(f"{layer}.intermediate.dense", MLP, WIDTH)
        shapes |= linear(f"{layer}.output.dense", WIDTH, MLP)
    shapes |= linear("text_projection.0", QUERY, WIDTH) | linear("text_projection.2", QUERY, QUERY)
    rng = np.random.default_rng(1)
    state = {
        prefix + name: np.asarray(0.3 * rng.normal(size=shape), np.float32)
        for name, shape in shapes.items()
    }
    state[f"{prefix}text_branch.embeddings.position_ids"] = np.arange(POSITIONS)[None]
    return state


def whole_state():
    """A Lightning checkpoint's tensors: the network, and CLAP beside it."""
    return network_state() | clap_state("query_encoder.model.")


def write_roberta_files(folder):
    """RoBERTa's tokenizer as older models have it: letters, no merges."""
    (folder / "vocab.json").write_text(json.dumps(VOCAB))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder
