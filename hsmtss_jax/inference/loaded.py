"""Keep bundles that were trained against one another on the default device."""

from collections.abc import Mapping
from typing import Any

import jax

from hsmtss_jax.bundles.bundle import Bundle, check_upstream
from hsmtss_jax.dist import check_process, compute_dtype
from hsmtss_jax.models.text.tokenizer import Tokenizer


class LoadedBundles:
    """Hold the weights of bundles by role: base of what runs beside a pipeline of separation.

    Attributes: bundles, params (role -> weights), dtype, tokenizer (None without a text encoder).
    Raises ValueError when the bundles were not trained against one another.
    """

    def __init__(self, bundles: Mapping[str, Bundle], dtype: Any = None) -> None:
        check_process()
        check_upstream(bundles)
        self.bundles = dict(bundles)
        self.dtype = dtype or compute_dtype()
        self.params = jax.device_put({role: bundle.params for role, bundle in bundles.items()})
        text = bundles.get("text_encoder")
        self.tokenizer = Tokenizer.from_bundle(text) if text else None
