"""Tag recordings with events, for pairing: two recordings with a common event are never mixed.

The corpus tags are a path from a category to the event ("animal;bird;crow"). A category alone does not
make two sounds alike (a dog and a cat are both animals), unless nothing more specific is known.
"""

CATEGORIES = {
    "animal", "bird", "farm animal", "insect", "human", "voice", "household", "nature", "weather",
    "vehicle", "aircraft", "emergency vehicle", "tool", "power tool", "weapon", "music",
    "musical instrument", "machine", "sport", "signal", "night", "city", "kitchen", "office", "toy",
}  # fmt: skip
NOT_EVENTS = {"low bandwidth"}

# labels that sound alike or contain one another get a common tag
FAMILIES = {
    "guitar": {
        "acoustic guitar", "steel-string guitar", "electric guitar", "distorted electric guitar",
        "bass guitar", "banjo", "guitar smashing",
    },
    "keyboard instrument": {"piano", "electric piano", "harpsichord", "synthesizer"},
    "electronic instrument": {"synthesizer", "theremin", "electric piano", "audio feedback"},
    "saxophone": {"saxophone", "tenor saxophone"},
    "brass section": {"brass section", "trumpet", "trombone", "tuba", "french horn"},
    "string section": {"string ensemble", "violin", "viola", "cello", "double bass"},
    "pipe": {"flute", "piccolo", "recorder", "pan flute", "slide whistle", "bottle blowing"},
    "mallet": {"glockenspiel", "music box", "vibraphone", "marimba", "xylophone", "kalimba"},
    "percussion": {
        "drum kit", "drums beating", "timpani", "castanets", "triangle", "hand clap", "angklung",
        "balloon drumming",
    },
    "bell": {
        "bell", "tubular bells", "cowbell", "telephone ringing", "clock alarm", "cash register",
        "tuning fork",
    },
    "beep": {
        "alarm", "clock alarm", "car alarm", "siren", "buzzer", "reversing beeps",
        "telephone ringing",
    },
    "singing": {"choir", "singing", "humming"},
    "speech": {"crowd chatter", "speech", "singing", "children playing", "supermarket"},
    "blast": {"explosion", "cannon", "gunshot", "machine gun", "fireworks", "thunder", "thunder drum"},
    "rumble": {"thunder", "thunder drum", "earthquake rumble", "sheet metal"},
    "horn": {"car horn", "ship horn", "train horn", "war horn", "bicycle horn"},
    "engine": {
        "jet engine", "propeller airplane", "helicopter", "rocket engine", "traffic",
        "garbage truck", "construction site", "subway train", "train",
    },
    "motor": {
        "air blower", "air compressor", "blender", "circular saw", "clothes dryer",
        "coffee machine", "construction site", "drilling", "electric fan", "electric motor",
        "electric screwdriver", "electric shaver", "elevator", "food processor", "garbage truck",
        "generator", "hair dryer", "jackhammer", "machinery", "microwave oven", "paper shredder",
        "pencil sharpener", "photocopier", "power tool", "printer", "rotary tool",
        "vacuum cleaner", "vending machine", "water pump",
    },
    "scream": {"grunting", "screaming", "shouting", "crying"},
    "hiss": {
        "snake hissing", "steam hissing", "fuse burning", "compressed air", "steam vent", "geyser",
        "radio static", "blowtorch", "cat hissing", "radiator",
    },
    "growl": {
        "animal growling", "lion roaring", "leopard growling", "leopard roaring", "tiger growling",
        "tiger roaring", "gorilla growling",
    },
    "snore": {"snoring", "dog snoring"},
    "crowd": {"applause", "crowd cheering", "crowd booing", "crowd chatter", "children playing"},
    "claps": {"applause", "hand clap"},
    "running water": {
        "stream", "waterfall", "tap water running", "sea waves", "rain", "fountain", "hot spring",
        "geyser", "draining water", "sprinkler", "pouring liquid", "water sloshing", "rainstick",
        "toilet flushing",
    },
    "bubbles": {"water bubbling", "mud bubbling", "underwater", "hot spring", "gurgling"},
    "waterfowl": {"duck quacking", "goose honking", "swan"},
    "poultry": {"chicken clucking", "rooster crowing", "chicks peeping", "turkey gobbling"},
    "singing insects": {"crickets chirping", "cicadas"},
    "clicks": {
        "clicking", "lock", "camera shutter", "ratchet", "geiger counter", "keyboard typing",
        "newton's cradle", "clock ticking",
    },
    "squeak": {
        "chair", "door creaking", "wood creaking", "tree creaking", "locker", "gate moving",
        "wooden ship creaking", "balloon squeaking", "styrofoam", "squeaky toy", "chalk",
    },
    "scraping": {
        "metal scraping", "chair", "moving furniture", "blade scraping", "trash can", "gate moving",
    },
    "crinkle": {
        "aluminum foil", "paper crumpling", "plastic crinkling", "bag rustling", "page turning",
        "leaves rustling", "fabric rustling", "plastic bottle", "paper tearing", "cloth tearing",
        "adhesive tape", "velcro", "bubble wrap",
    },
    "rattle": {
        "keys jangling", "coins", "cutlery", "dishes", "nails", "marbles", "metal balls",
        "objects falling", "dice rolling", "maracas", "metal spring", "ceramic tile",
    },
    "glass": {"dishes", "dishes breaking", "ceramic tile"},
    "doors": {"car door", "cupboard", "drawer", "safe", "locker", "window", "elevator"},
    "hit": {
        "wood impact", "wood chopping", "wood breaking", "metal impact", "stone impact", "thud",
        "hammering", "blacksmith hammering", "pickaxe mining", "stone cutting", "sword fighting",
        "arrow impact", "crash", "objects falling", "punch", "rocks falling", "barrel", "hubcap",
        "trash can", "tin can", "pots and pans", "cookie tin", "can crushing", "locker",
        "ceramic tile", "sandbag", "construction site",
    },
}  # fmt: skip

# what else is heard: label -> a tag that stands for the events
ALSO_HEARD = {("sea waves", "bird"): ["birdsong", "seagull"]}


def tags_of(label: str, tags: list[str]) -> list[str]:
    """Return all tags of a recording: the corpus' own and its families."""
    own = [tag for tag in tags if tag not in NOT_EVENTS]
    own += [more for tag in own for more in ALSO_HEARD.get((label, tag), ())]
    return own + [name for name, labels in FAMILIES.items() if label in labels and name not in own]


def events_of(tags: list[str]) -> list[str]:
    """Return the tags that name the sound itself: categories only when there is nothing else."""
    return [tag for tag in tags if tag not in CATEGORIES] or tags[-1:]
