"""Tag recordings with events, for pairing: two recordings with a common event are never mixed.

The corpus tags are a path from a category to the event ("animal;bird;crow"). A category alone does not
make two sounds alike (a dog and a cat are both animals), unless nothing more specific is known.
"""

CATEGORIES = {
    "animal", "bird", "farm animal", "insect", "human", "voice", "household", "nature", "weather",
    "vehicle", "aircraft", "emergency vehicle", "tool", "power tool", "weapon", "music",
    "musical instrument", "machine", "sport", "signal", "night", "city",
}  # fmt: skip
NOT_EVENTS = {"low bandwidth"}

# labels that sound alike or contain one another get a common tag
FAMILIES = {
    "guitar": {
        "acoustic guitar", "steel-string guitar", "electric guitar", "distorted electric guitar",
        "bass guitar", "banjo",
    },
    "keyboard instrument": {"piano", "electric piano", "harpsichord"},
    "saxophone": {"saxophone", "tenor saxophone"},
    "brass section": {"brass section", "trumpet", "trombone", "tuba", "french horn"},
    "string section": {"string ensemble", "violin", "viola", "cello", "double bass"},
    "pipe": {"flute", "piccolo", "recorder", "pan flute"},
    "mallet": {"glockenspiel", "music box", "vibraphone", "marimba", "xylophone", "kalimba"},
    "percussion": {"drum kit", "drums beating", "timpani", "castanets", "triangle", "hand clap"},
    "bell": {"bell", "tubular bells", "cowbell", "telephone ringing", "clock alarm", "cash register"},
    "singing": {"choir", "singing"},
    "speech": {"crowd chatter", "speech", "singing"},
    "blast": {"explosion", "cannon", "gunshot", "machine gun", "fireworks", "thunder"},
    "horn": {"car horn", "ship horn", "train horn", "war horn"},
    "engine": {"jet engine", "propeller airplane", "helicopter", "rocket engine", "traffic"},
    "scream": {"grunting", "screaming"},
    "hiss": {"snake hissing", "steam hissing", "fuse burning"},
    "growl": {"animal growling", "lion roaring"},
    "crowd": {"applause", "crowd cheering", "crowd booing", "crowd chatter"},
    "running water": {"stream", "waterfall", "tap water running", "sea waves", "rain"},
    "hit": {
        "wood impact", "wood chopping", "wood breaking", "metal impact", "stone impact", "thud",
        "hammering", "blacksmith hammering", "pickaxe mining", "stone cutting", "sword fighting",
        "arrow impact", "crash", "objects falling", "punch", "rocks falling",
    },
}  # fmt: skip


def tags_of(label: str, tags: list[str]) -> list[str]:
    """Return all tags of a recording: the corpus' own and its families."""
    own = [tag for tag in tags if tag not in NOT_EVENTS]
    return own + [name for name, labels in FAMILIES.items() if label in labels and name not in own]


def events_of(tags: list[str]) -> list[str]:
    """Return the tags that name the sound itself: categories only when there is nothing else."""
    return [tag for tag in tags if tag not in CATEGORIES] or tags[-1:]
