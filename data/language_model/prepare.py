"""Create a small GPT-2 with random weights and a tokenizer trained on a data set's captions.

    python data/language_model/prepare.py --data corpora/opensounds --out runs/gpt2/bundle

Captioning as in the paper starts from GPT-2's public weights: ``hsmtss import gpt2``. This one is for use
where those cannot be had: the captioner's demo config trains it together with its linear map.
"""

import argparse
import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
from tokenizers import Tokenizer as FastTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

from hsmtss_jax.bundles.bundle import Bundle, save_bundle
from hsmtss_jax.data.sources import ClipSource
from hsmtss_jax.models.gpt2 import GPT2Config
from hsmtss_jax.models.text.tokenizer import END


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="corpora/opensounds", help="a prepared data set")
    parser.add_argument("--out", type=Path, default=Path("runs/gpt2/bundle"))
    parser.add_argument("--vocab", type=int, default=1024, help="tokens at most [1024]")
    parser.add_argument("--width", type=int, default=256, help="[256]")
    parser.add_argument("--depth", type=int, default=4, help="layers [4]")
    parser.add_argument("--heads", type=int, default=4, help="[4]")
    parser.add_argument("--positions", type=int, default=128, help="prefix and text [128]")
    parser.add_argument("--seed", type=int, default=0, help="of the weights [0]")
    args = parser.parse_args(argv)
    if args.width % args.heads:
        parser.error(f"--width {args.width} is not divisible by --heads {args.heads}")
    tokenizer = learn_tokenizer(ClipSource(args.data, "train").texts(), args.vocab)
    config = GPT2Config(
        vocab=tokenizer.get_vocab_size(),
        width=args.width,
        depth=args.depth,
        heads=args.heads,
        max_positions=args.positions,
    )
    bundle = random_gpt2(config, tokenizer, args.seed)
    save_bundle(args.out, bundle)
    count = sum(leaf.size for leaf in jax.tree.leaves(bundle.params))
    print(f"{args.out}: {count:,} random parameters, {config.vocab} tokens")


def learn_tokenizer(texts: list[str], vocab: int) -> FastTokenizer:
    """Train a tokenizer of GPT-2's kind: byte pairs, so that any text has tokens; at most ``vocab`` of them.

    Raises:
      ValueError: there is no room for the 256 bytes and the end token.
    """
    if vocab < 257:
        raise ValueError(f"--vocab {vocab}: the bytes and the end token alone are 257")
    tokenizer = FastTokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def random_gpt2(config: GPT2Config, tokenizer: FastTokenizer, seed: int) -> Bundle:
    """Create the bundle, as ``hsmtss import gpt2`` would write it."""
    ids = jnp.zeros((1, 2), jnp.int32)
    params = jax.jit(config.make().init)(jax.random.key(seed), ids)["params"]
    return Bundle(
        stage="gpt2",
        config={"name": "gpt2", "model": dataclasses.asdict(config)},
        params=jax.device_get(params),
        files={"tokenizer.json": tokenizer.to_str().encode("utf-8")},
        meta={"source": "random weights", "licence": "Apache-2.0"},
    )


if __name__ == "__main__":
    main()
