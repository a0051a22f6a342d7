"""GPT-2 with imported weights against transformers."""

import jax
import numpy as np
import pytest

from hsmtss_jax.bundles.importers.gpt2 import gpt2_config, import_gpt2
from tests.bundles.importers.synthetic import GPT2

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def test_logits_equal_transformers():
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**GPT2, bos_token_id=0, eos_token_id=0)
    ).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(0.0, 0.3, generator=generator)
    config = gpt2_config(model.config.to_dict())
    params = import_gpt2(config, {k: v.numpy() for k, v in model.state_dict().items()})
    ids = np.random.default_rng(0).integers(0, 29, (3, 9))
    mask = np.arange(9)[None, :] < np.array([[9], [4], [1]])
    ours = jax.jit(config.make().apply)({"params": params}, ids, mask).logits
    with torch.no_grad():
        theirs = model(
            input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask).long()
        ).logits.numpy()
    error = np.abs(np.asarray(ours) - theirs)[mask].max()
    print(f"GPT-2: max abs error {error:.2e}, largest logit {np.abs(theirs).max():.1f}")
    assert error <= 1e-4
