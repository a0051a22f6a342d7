"""AudioSep's network and CLAP's text tower with imported weights against PyTorch."""

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.audiosep import audiosep_config, import_audiosep
from hsmtss_jax.bundles.importers.clap import clap_text_config, import_clap_text
from hsmtss_jax.models.mask_separator import MaskSeparatorConfig

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")

QUERY = 24
CONFIG = MaskSeparatorConfig(channels=(4, 6, 8), sample_rate=8_000, n_fft=512, hop=80)


def random_weights(module):
    """Every tensor of a module, random; variances positive. Returned as numpy, loaded as well."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, value in module.state_dict().items():
        drawn = torch.randn(value.shape, generator=generator, dtype=torch.float64).float()
        state[name] = drawn.abs() + 0.5 if name.endswith("running_var") else 0.3 * drawn
        if not value.is_floating_point():  # counters and positions
            state[name] = value
    module.load_state_dict(state)
    return {name: value.numpy() for name, value in state.items()}


@pytest.mark.parametrize("samples", [4_000, 2_561])
def test_the_peer_is_the_same_network(samples):
    from hsmtss_jax.speed.torch_resunet import TorchResUNet

    peer = TorchResUNet(CONFIG, QUERY).eval()
    state = {f"ss_model.{name}": value for name, value in random_weights(peer).items()}
    assert audiosep_config(state) == CONFIG
    variables = import_audiosep(CONFIG, state)
    rng = np.random.default_rng(1)
    mixture = 0.1 * rng.normal(size=(2, samples)).astype(np.float32)
    query = rng.normal(size=(2, QUERY)).astype(np.float32)
    ours = jax.jit(CONFIG.make().apply)(variables, mixture, query)
    with torch.inference_mode():
        theirs = peer(torch.from_numpy(mixture), torch.from_numpy(query)).numpy()
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print(f"ResUNet: max error {error:.1e} of the largest sample")
    assert error <= 1e-5


def test_the_text_tower_is_transformers_and_roberta():
    transformers = pytest.importorskip("transformers")
    sizes = transformers.ClapTextConfig(
        vocab_size=99,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=20,
        type_vocab_size=1,
        projection_dim=16,
        pad_token_id=1,
        layer_norm_eps=1e-5,
    )
    model = transformers.ClapTextModelWithProjection(sizes).eval()
    state = random_weights(model)
    config = clap_text_config(state, heads=4)
    assert (config.encoder.max_positions, config.embedding) == (18, 16)
    params = import_clap_text(config, state)
    lengths = np.array([[18], [7], [2]])
    mask = np.arange(18)[None] < lengths
    ids = np.where(mask, np.random.default_rng(0).integers(3, 99, (3, 18)), 1)
    ours = jax.jit(config.make().apply)({"params": params}, ids, mask)
    with torch.inference_mode():
        given = torch.from_numpy(ids), torch.from_numpy(mask).long()
        theirs = model(*given).text_embeds
        theirs = torch.nn.functional.normalize(theirs, dim=-1).numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-6)
    _equals_roberta(transformers, state, params, config, ids, mask)


def _equals_roberta(transformers, state, params, config, ids, mask):
    """The tower as LAION builds it: RobertaModel and a projection by hand."""
    sizes = transformers.RobertaConfig(
        vocab_size=99,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=20,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )
    roberta = transformers.RobertaModel(sizes).eval()
    tensors = {
        name.removeprefix("text_model."): torch.from_numpy(value)
        for name, value in state.items()
        if name.startswith("text_model.")
    }
    result = roberta.load_state_dict(tensors, strict=False)
    assert not result.missing_keys
    first, second = (torch.from_numpy(state[f"text_projection.linear{i}.weight"]) for i in (1, 2))
    bias = [torch.from_numpy(state[f"text_projection.linear{i}.bias"]) for i in (1, 2)]
    with torch.inference_mode():
        pooled = roberta(torch.from_numpy(ids), torch.from_numpy(mask).long()).pooler_output
        out = torch.relu(pooled @ first.T + bias[0]) @ second.T + bias[1]
        out = torch.nn.functional.normalize(out, dim=-1).numpy()
    ours = jax.jit(config.make().apply)({"params": params}, ids, mask)
    np.testing.assert_allclose(ours, out, atol=2e-6)
