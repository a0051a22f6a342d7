"""Typed experiment configs: frozen dataclasses with the paper's values as defaults.

A config is loaded from a Python file (``load_config``); ``conversion`` changes it from the command line
and stores it as JSON.
"""

import dataclasses
import importlib.util
import math
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

T = TypeVar("T")

Size = Literal["paper", "base", "demo", "tiny"]
SIZES = typing.get_args(Size)

# A size of a network that upstream bundles fix. None stands for what they say and is filled in when the
# stage is built, so a network never sees it: it is an int everywhere but in a config file.
INHERITED = "inherited"
Inherited = Annotated[int, INHERITED]


class Within(NamedTuple):
    """Bound a number, or every number of a tuple; rising: the first is not above the second."""

    low: float = -math.inf
    high: float = math.inf
    rising: bool = False


Count = Annotated[int, Within(1)]
CountOrNone = Annotated[int, Within(0)]  # 0 turns something off
Share = Annotated[float, Within(0, 1)]
Positive = Annotated[float, Within(0)]
Interval = Annotated[tuple[float, float], Within(rising=True)]
Axis = Annotated[int, Within(-1)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StageConfig:
    """Configure a stage, as the base of every stage's config; ``name`` is the key in ``stages.STAGES``.

    What stands here and is None is the upstream's, once the stage is built.
    """

    name: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetConfig:
    """Configure one of several data sets of clips that examples are drawn from."""

    root: str
    name: str = ""  # comes before its clips' ids; "": the folder's name
    # Of the examples, relative to the other sets'; 0 in every set: by the number of its clips.
    weight: float = 0.0
    hours: float = 0.0  # cap of the training clips, the same ones each time; 0: all
    subset: tuple[str, ...] = ()  # "field=regex" of the index that its clips match: "licence=CC0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Configure where examples come from and how they are made."""

    root: str = "corpora/opensounds"  # a prepared data set: ArrayRecord in TFDS layout
    sets: tuple[SetConfig, ...] = ()  # several data sets of clips; root is "" then
    # Folder of mixtures to make of these clips, in place of drawing them (hsmtss data manifest).
    manifest: str = ""
    batch_size: Count = 256  # examples, over all devices
    workers: CountOrNone = 0  # grain worker processes; 0 reads in the training process
    snr_db: Interval = (-15.0, 15.0)  # range of target over other [dB]
    sources: Annotated[tuple[int, int], Within(2, rising=True)] = (
        2,
        2,
    )  # fewest and most sounds in a mixture; more than two need "scale"
    # Shares of the further sounds that are drawn among those of a common category with the target, and
    # among those that are heard together with it in some clip of the data.
    similar_probability: Share = 0.0
    companion_probability: Share = 0.0
    absent_probability: Share = 0.0  # share of mixtures without the sound that the text describes
    clean_probability: Share = (
        0.0  # share of mixtures that are nearly the target alone, clean_snr_db
    )
    clean_snr_db: Interval = (20.0, 40.0)
    # Of training mixtures as a whole, where ``augment`` is on: the share with a room, and with a band
    # limit (telephone and others); the range of levels [dB re full scale], () leaves them.
    room_probability: Share = 0.0
    band_probability: Share = 0.0
    level_db: tuple[float, ...] = ()
    # scale: a gain for a drawn SNR; raw_reject: plain sums, pairs drawn until the SNR is in range
    mix_mode: Literal["scale", "raw_reject"] = "scale"
    # Clips shorter than the window. pad: zeros follow. place: put at a random place. repeat: that, or
    # repeated; where single clips are trained on, other clips may follow. Training and mixtures only.
    short_clips: Literal["pad", "place", "repeat"] = "repeat"
    balance: Share = 0.5  # 0 samples clips as they are, 1 evens out the labels
    augment: bool = True  # pitch, speed, EQ, gain, reverberation; training split only
    max_text_tokens: Count = 64  # of a caption, special tokens counted
    # Folder for the frozen text encoder's outputs, computed once a data set and read by caption while
    # training; "" runs the encoder in every step. The numbers are the same but for rounding.
    text_cache: str = ""
    remove_probability: Share = 0.5  # share of (remove, caption of the other) examples
    eval_examples: Count = 512  # of the validation pass
    bad_share: Share = 0.01  # of examples that may be silent or damaged; others are read instead


@dataclasses.dataclass(frozen=True)
class Shard:
    """Name a process's part of a data set: examples ``index::count``."""

    index: int = 0
    count: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """Configure one parameter group's optimiser: AdamW and its learning rate by update."""

    lr: Positive = 1e-4  # at its highest
    b1: Share = 0.9
    b2: Share = 0.98
    weight_decay: Positive = 0.01
    amsgrad: bool = False  # like freeze, part of the state: fixed once a run has begun
    warmup_steps: CountOrNone = 2000  # updates of the linear warm-up, or of each stair
    end_lr: Positive = 1e-6  # of a cosine
    # cosine and constant follow a linear warm-up; staircase: the rates of ``stairs``, then lr
    schedule: Literal["cosine", "constant", "staircase"] = "cosine"
    stairs: tuple[float, ...] = ()
    clip: Positive = 1.0  # largest norm of the gradient; 0 turns clipping off
    clip_per_tensor: bool = False  # TF-Codec clips each tensor on its own
    decay_exclude: str = r"(bias|scale|embedding|pos|query|token)$"
    freeze: str = ""  # regex over parameter paths that are not trained
    l2: Positive = 0.0  # coupled L2 (the discriminator's)
    ema: Share = 0.0  # 0 turns it off


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeshConfig:
    """Configure the devices: ``data`` x ``fsdp``; -1 takes what is left."""

    data: Axis = -1
    fsdp: Axis = 1
    shard_from: int = 65_536  # elements of a parameter; below, splitting costs more than it saves
    multi_host: bool = (
        False  # join the other hosts; the three that follow are found on known clusters
    )
    coordinator: str = ""  # address of process 0, "host:port"
    processes: CountOrNone = 0  # their number
    process: Axis = -1  # the number of this one, from 0
    timeout: Count = (
        300  # seconds that processes wait for one another at the start and at checkpoints
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Configure how long, how often, which seed."""

    steps: Count = 50_000  # optimiser updates
    seed: CountOrNone = 0
    init_from: str = ""  # a bundle whose weights a new run starts from; "" starts at random
    init_match: str = ""  # regex over that bundle's tensors: start from these alone
    log_every: Count = 100  # steps, as the next two
    eval_every: CountOrNone = 2_000  # 0: no validation
    save_every: Count = 1_000
    keep: Count = 3  # the last checkpoints; the best one is kept beside them
    best_metric: str = ""  # the validation metric, smaller is better; "" is the stage's own
    # Spreads above the median of recent losses at which an update is skipped; 0 skips only NaN and infinity.
    spike: Positive = 20.0
    patience: Count = 50  # skipped steps in a row after which a run goes back to a good checkpoint
    rewinds: CountOrNone = 2  # times that it goes back over the same place before it gives up
    accumulate: Count = 1  # parts a batch is split into, gradients averaged
    # what networks compute in; auto: bfloat16 on accelerators, float32 on CPU
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """Configure a whole run: stage, data, optimiser per group, mesh, run."""

    stage: StageConfig
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    optim: Mapping[str, OptimConfig] = dataclasses.field(default_factory=dict)
    mesh: MeshConfig = dataclasses.field(default_factory=MeshConfig)
    run: RunConfig = dataclasses.field(default_factory=RunConfig)
    upstream: Mapping[str, str] = dataclasses.field(default_factory=dict)  # name -> bundle folder


def config_folders() -> list[Path]:
    """Return the folders of our own config files: the installed package's, and a checkout's."""
    root = Path(__file__).resolve().parents[1]
    checkout = [root / "configs"] if (root / "pyproject.toml").is_file() else []
    return [Path(__file__).with_name("configs"), *checkout]


def own_configs() -> dict[str, Path]:
    """Return the files of our own configs by name ("audio_mae", "pipeline"), in order of the names."""
    ours = {file.stem: file for folder in config_folders() for file in folder.glob("*.py")}
    return {stem: ours[stem] for stem in sorted(ours) if stem not in ("__init__", "common")}


def find_config(name: str | Path) -> Path:
    """Return the file of a config: a path ending in .py, or the name of one of ours ("audio_mae").

    Raises ValueError for an unknown name.
    """
    if Path(name).suffix:
        return Path(name)
    ours = own_configs()
    if str(name) not in ours:
        raise ValueError(
            f"no config {str(name)!r}: give the path of a .py file or {', '.join(ours)}"
        )
    return ours[str(name)]


def load_config(name: str | Path, size: str, kind: type[T] = ExperimentConfig) -> T:  # type: ignore[assignment]
    """Run ``get_config(size)`` of a config file, which returns a ``kind``; ``size`` is one of ``SIZES``.

    name: as ``find_config`` takes it.

    Raises:
      ValueError: unknown name or size, no ``get_config`` in the file, or a result of another type.
      OSError: the file is missing.
    """
    path = find_config(name)
    if size not in SIZES:
        raise ValueError(f"unknown size {size!r}: choose one of {', '.join(SIZES)}")
    if not path.is_file():
        raise FileNotFoundError(f"no config file at {path}")
    spec = importlib.util.spec_from_file_location(f"hsmtss_config_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file: a config ends in .py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise ValueError(f"{path} defines no get_config(size)")
    config = module.get_config(size)
    if not isinstance(config, kind):
        raise ValueError(
            f"get_config of {path} returned {type(config).__name__}, not {kind.__name__}"
        )
    return config
