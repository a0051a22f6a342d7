"""``hsmtss bench decoder``: sampling of the acoustic decoder, against its limits and against PyTorch."""

import argparse

from hsmtss_jax.cli.messages import CommandParser
from hsmtss_jax.config import SIZES

FORMS = ("batch_last", "out_in", "in_out")
ATTENTION_FORMS = ("products", "sums")


def build_parser() -> argparse.ArgumentParser:
    """The argument parser."""
    parser = CommandParser(
        prog="hsmtss bench decoder",
        description="Times sampling with the key/value cache on the default device: frames/s of all rows "
        "together, the share of what memory bandwidth allows, of what the same weights reach in a bare "
        "loop of matrix products, and of what PyTorch transformers' generate reaches with a GPT-2 of the "
        "same size; prefill and compile time apart; peak memory.",
    )
    parser.add_argument("--size", choices=SIZES, default="paper", help="[paper]")
    parser.add_argument(
        "--config",
        default="configs/acoustic_decoder.py",
        help="the config file [configs/acoustic_decoder.py]",
    )
    parser.add_argument(
        "--batch", type=int, nargs="+", default=[1, 4, 8, 16], help="rows [1 4 8 16]"
    )
    parser.add_argument("--frames", type=int, help="frames a call [a full window]")
    parser.add_argument("--repeats", type=int, default=3, help="timed calls, the median counts [3]")
    parser.add_argument("--temperature", type=float, default=0.8, help="0 is greedy [0.8]")
    parser.add_argument("--top-k", type=int, default=64, help="0 keeps all classes [64]")
    parser.add_argument("--top-p", type=float, default=1.0, help="1 keeps all classes [1]")
    parser.add_argument(
        "--form", choices=FORMS, help="how the step's weights lie [the backend's default]"
    )
    parser.add_argument(
        "--attention", choices=ATTENTION_FORMS, help="how the cache is read [the backend's default]"
    )
    parser.add_argument(
        "--forms", action="store_true", help="only compare the forms, as bare matrix products"
    )
    parser.add_argument("--peer", action="store_true", help="the same size in PyTorch, in turns")
    return parser


def main(argv: list[str]) -> int:
    """Run the command; errors of input are raised as ValueError or OSError."""
    args = build_parser().parse_args(argv)
    if min(args.batch) < 1 or args.repeats < 1:
        raise ValueError("--batch and --repeats must be at least 1")
    import jax

    from hsmtss_jax.benchmarks import decoder
    from hsmtss_jax.config import ExperimentConfig, load_config
    from hsmtss_jax.dist import compute_dtype
    from hsmtss_jax.models.acoustic_decoder.model import AcousticDecoderConfig
    from hsmtss_jax.sampling import Policy
    from hsmtss_jax.testing.bundles import build_stage

    config = load_config(args.config, args.size, ExperimentConfig)
    model = getattr(build_stage(config, args.size, abstract=True).config, "model", None)
    if not isinstance(model, AcousticDecoderConfig):
        raise ValueError(f"{args.config} is no config of the acoustic decoder")
    frames = args.frames or model.max_frames
    if not 1 <= frames <= model.max_frames:
        raise ValueError(f"--frames must lie between 1 and {model.max_frames}, a full window")
    policy = Policy(temperature=args.temperature, top_k=args.top_k, top_p=args.top_p)
    dtype = compute_dtype()
    device = jax.devices()[0].device_kind
    print(f"acoustic decoder, size {args.size}, {dtype.__name__}, {device}\n")
    if args.forms:
        rates = decoder.compare_forms(model, dtype, args.batch, args.repeats)
        print(decoder.forms_to_markdown(rates, args.batch), end="")
        return 0
    rows = decoder.benchmark(
        model,
        dtype,
        batches=args.batch,
        frames=frames,
        repeats=args.repeats,
        policy=policy,
        peer=args.peer,
        form=args.form,
        attention=args.attention,
    )
    print(decoder.to_markdown(rows), end="")
    print(f"\n{frames} frames behind {model.patches if model.has_prefix else 0} patches, {policy}")
    reads = ", ".join(f"{row.bandwidth / 1e9:.1f}" for row in rows)
    print(f"large read in the same turns: {reads} GB/s")
    return 0
