"""Describe every recording in several ways: paraphrases of its caption, and its label where that fits.

Nothing is invented: a paraphrase only changes the form of the caption ("a dog barks" -> "a dog barking",
"dog barking", "dog"), and the label is left out where its meaning differs.
"""

import re
import zlib

# finite verb -> gerund, the verbs of the corpus captions
SINGULAR = {
    "applauds": "applauding", "barks": "barking", "bellows": "bellowing", "bites": "biting",
    "bleats": "bleating", "blows": "blowing", "boos": "booing", "brakes": "braking", "breaks":
    "breaking", "bubbles": "bubbling", "burns": "burning", "burps": "burping", "buzzes":
    "buzzing", "calls": "calling", "caws": "cawing", "cheers": "cheering", "chirps": "chirping",
    "chisels": "chiselling", "chops": "chopping", "clacks": "clacking", "clicks": "clicking",
    "closes": "closing", "clucks": "clucking", "collapses": "collapsing", "coughs": "coughing",
    "crackles": "crackling", "cracks": "cracking", "creaks": "creaking", "cries": "crying",
    "crows": "crowing", "cuts": "cutting", "departs": "departing", "drips": "dripping",
    "escapes": "escaping", "explodes": "exploding", "falls": "falling", "fires": "firing",
    "flaps": "flapping", "flies": "flying", "flows": "flowing", "flushes": "flushing", "gasps":
    "gasping", "gobbles": "gobbling", "groans": "groaning", "growls": "growling", "grunts":
    "grunting", "hammers": "hammering", "hisses": "hissing", "hits": "hitting", "honks":
    "honking", "howls": "howling", "knocks": "knocking", "lands": "landing", "laughs":
    "laughing", "meows": "meowing", "moos": "mooing", "moves": "moving", "neighs": "neighing",
    "opens": "opening", "passes": "passing", "pops": "popping", "pulls": "pulling", "quacks":
    "quacking", "revs": "revving", "ricochets": "ricocheting", "rings": "ringing", "roars":
    "roaring", "rumbles": "rumbling", "rustles": "rustling", "saws": "sawing", "screams":
    "screaming", "screeches": "screeching", "shatters": "shattering", "sings": "singing",
    "sizzles": "sizzling", "skids": "skidding", "slams": "slamming", "slows": "slowing",
    "snorts": "snorting", "sounds": "sounding", "speaks": "speaking", "splashes": "splashing",
    "splinters": "splintering", "squeaks": "squeaking", "squeals": "squealing", "starts":
    "starting", "strikes": "striking", "swims": "swimming", "swishes": "swishing", "takes":
    "taking", "trumpets": "trumpeting", "types": "typing", "wails": "wailing", "walks":
    "walking", "whinnies": "whinnying", "whirs": "whirring", "whistles": "whistling",
    "bangs": "banging", "bounces": "bouncing", "brays": "braying", "breathes": "breathing",
    "brushes": "brushing", "bursts": "bursting", "chatters": "chattering", "churns": "churning",
    "clangs": "clanging", "clatters": "clattering", "clinks": "clinking", "coos": "cooing",
    "crashes": "crashing", "drives": "driving", "drums": "drumming", "eats": "eating", "erupts":
    "erupting", "flutters": "fluttering", "gargles": "gargling", "gurgles": "gurgling", "hoots":
    "hooting", "hums": "humming", "idles": "idling", "jingles": "jingling", "kicks": "kicking",
    "makes": "making", "peeps": "peeping", "pours": "pouring", "rattles": "rattling", "rolls":
    "rolling", "runs": "running", "scoops": "scooping", "scrapes": "scraping", "scratches":
    "scratching", "scribbles": "scribbling", "shouts": "shouting",
    "sloshes": "sloshing", "snaps": "snapping", "snarls": "snarling", "sneezes": "sneezing",
    "snores": "snoring", "spins": "spinning", "spits": "spitting", "squawks": "squawking",
    "stomps": "stomping", "stops": "stopping", "swirls": "swirling", "taps": "tapping", "ticks":
    "ticking", "trickles": "trickling", "twangs": "twanging", "vomits": "vomiting", "writes":
    "writing", "yawns": "yawning",
}  # fmt: skip

# the same after a plural subject
PLURAL = {
    "bleat": "bleating", "break": "breaking", "call": "calling", "chat": "chatting", "chirp":
    "chirping", "clang": "clanging", "clash": "clashing", "click": "clicking", "clink":
    "clinking", "collide": "colliding", "croak": "croaking", "fall": "falling", "fly": "flying",
    "howl": "howling", "jingle": "jingling", "moo": "mooing", "rustle": "rustling", "squeal":
    "squealing", "tumble": "tumbling", "bubble": "bubbling", "clatter": "clattering", "go": "going",
    "honk": "honking", "knock": "knocking", "peep": "peeping", "play": "playing", "rattle":
    "rattling", "ring": "ringing", "roll": "rolling", "snip": "snipping", "talk": "talking",
}  # fmt: skip

# captions beside which the label would say something else (or more than is known)
LABEL_UNFIT = re.compile(
    r"goose|tiger|big cat|\bslap\b|gorilla|wooden chest|an animal hisses|cartridge|hits a tree"
    r"|hippopotamus|koala|\bcard\b|wrapping|car passes|shower|grasshopper|animal bites|furnace"
    r"|\bbus\b|diesel engine|\bbull\b|\box\b|wild boar|turkey|stag|power saw|small animal|drum roll"
    r"|chimpanzee|munching|ground rumbles|\bcoyotes?|geese|raven"
    r"|casings|sizzles in|someone is running|stomps"
    r"|cries out|put out with|boiling|fermenting"
)
LABEL_NEVER = {
    "door", "whale or dolphin calling", "bongo and conga", "crowd chatter", "machinery",
    "bird of prey screeching", "gate moving", "objects falling", "bird squawking", "bell",
    "tap water running", "wings flapping", "blade scraping",
}  # fmt: skip

# further names of the same sound, true for every recording of the label that LABEL_UNFIT leaves
SYNONYMS = {
    "applause": ["clapping", "people applauding"],
    "bass drum": ["bass drum", "kick drum"],
    "birds chirping": ["birds singing", "birdsong", "birds"],
    "car horn": ["a car honking"],
    "clock ticking": ["a ticking clock", "ticking"],
    "crickets chirping": ["crickets"],
    "crowd cheering": ["cheering", "a cheering crowd"],
    "cymbal": ["cymbal", "cymbals"],
    "drum kit": ["drums", "a drum kit"],
    "explosion": ["a blast", "explosion"],
    "fire crackling": ["fire", "a crackling fire"],
    "footsteps": ["someone walking"],
    "glass breaking": ["breaking glass"],
    "gunshot": ["gunfire", "gun shot"],
    "helicopter": ["helicopter", "a helicopter"],
    "horse galloping": ["hooves", "galloping"],
    "keyboard typing": ["typing", "typing on a keyboard", "a computer keyboard"],
    "laughter": ["laughing", "a person laughing"],
    "machine gun": ["machine gun fire"],
    "music": ["music", "a piece of music"],
    "rain": ["rain", "rainfall"],
    "sea waves": ["ocean waves", "waves"],
    "snare drum": ["snare drum"],
    "speech": ["speech", "speaking", "a person speaking"],
    "stream": ["flowing water"],
    "sword fighting": ["swords", "clashing swords"],
    "telephone ringing": ["a phone ringing", "telephone"],
    "thunder": ["thunder", "a thunderstorm"],
    "traffic": ["traffic", "road traffic"],
    "water splash": ["splashing water"],
    "wind": ["wind", "wind noise"],
    "wood chopping": ["chopping wood"],
}

_ARTICLE = re.compile(r"^(a|an|the) ")
_PROGRESSIVE = re.compile(r"^(?P<subject>.+?) (?:is|are) (?P<verb>\w+ing)\b(?P<rest>.*)$")
_PASSIVE = re.compile(r"^(?P<subject>.+?) (?:is|are) (?P<verb>(?!being)\w+)(?P<rest>.*)$")
_UTTERANCE = re.compile(
    r"^(?P<who>a man|a woman|someone) (?:speaks|says a word)(?: in (?P<language>\w+))?$"
)
# subjects that do not name a sound by themselves
_VAGUE = {
    "someone", "something", "a man", "a woman", "a person", "people", "it", "the ground", "metal",
    "stone", "wood", "water", "a fire", "lightning", "a car", "an arrow", "an audience", "a beast",
    "a crowd", "an animal", "two balls", "a building", "a balloon", "something heavy", "a blade",
    "an acoustic guitar chord", "hands", "a steam train", "a metal object", "objects",
}  # fmt: skip


def captions_of(caption: str, label: str, tags: list[str]) -> list[str]:
    """Return descriptions of one recording, its own caption first, without repetitions."""
    caption = caption.replace("someone walking: ", "")
    if label == "choir":  # "a choir singing ooh is being played"
        return ["a choir singing", "choir singing", "a choir", "choir", "choral singing"]
    out = [caption, *_paraphrases(caption)]
    if label == "speech":
        out += _speech(caption)
    if "musical instrument" in tags:
        out += _instrument(label)
    if not LABEL_UNFIT.search(caption):
        out += [label] if label not in LABEL_NEVER else []
        out += SYNONYMS.get(label, [])
    if label.startswith("footsteps on "):
        surface = label.removeprefix("footsteps on ")
        out += [f"someone walking on {surface}", f"walking on {surface}", "footsteps"]
    out += [f"the sound of {text}" for text in out if _names_a_sound(text)][:1]
    return list(dict.fromkeys(out))


def varied(captions: list[str], name: str) -> list[str]:
    """Return the captions with another one first for each ``name``, where all clips of a kind share them."""
    shift = zlib.crc32(name.encode()) % len(captions)
    return captions[shift:] + captions[:shift]


def _names_a_sound(text: str) -> bool:
    """Return whether a description is a noun or a gerund clause, not a sentence."""
    words = set(text.split())
    return not words & {"is", "are", "says", *SINGULAR, *PLURAL} and not text.startswith("it ")


def _paraphrases(caption: str) -> list[str]:
    if match := _PROGRESSIVE.match(caption):
        return _clauses(match["subject"], match["verb"], match["rest"])
    if match := _PASSIVE.match(caption):
        out = [f"{match['subject']} being {match['verb']}{match['rest']}"]
        return out + _nouns(match["subject"])
    words = caption.split()
    for i, word in enumerate(words[1:], 1):
        subject, rest = " ".join(words[:i]), " ".join(["", *words[i + 1 :]])
        verb = SINGULAR.get(word) or (None if _ARTICLE.match(caption) else PLURAL.get(word))
        if verb:
            return _clauses(subject, verb, rest)
    return [_ARTICLE.sub("", caption)]


def _clauses(subject: str, verb: str, rest: str) -> list[str]:
    if subject == "it" or " and " in rest:
        return []
    clause = f"{subject} {verb}{rest}"
    vague = subject in _VAGUE
    return [clause, _ARTICLE.sub("", clause), *([] if vague or rest else _nouns(subject))]


def _nouns(subject: str) -> list[str]:
    return [] if subject in _VAGUE else [subject, _ARTICLE.sub("", subject)]


def _speech(caption: str) -> list[str]:
    match = _UTTERANCE.match(caption)
    if not match:
        return []
    who, language = match["who"], match["language"]
    out = [f"{who} speaking", f"{who} talking"]
    if who != "someone":
        gender = who.removeprefix("a ")
        out += [f"{gender} speech", f"{gender} speaking", f"{who}'s voice", f"{who} is speaking"]
    if language:
        out += [f"{who} speaking {language}", f"speech in {language}"]
    return out


def _instrument(label: str) -> list[str]:
    plural = label.endswith("s") or label == "timpani"
    article = "" if plural else ("an " if label[0] in "aeiou" else "a ")
    verb = "are" if plural else "is"
    named = f"{article}{label}"
    return [
        named,
        f"{named} playing",
        f"{label} music",
        f"{named} {verb} being played",
        f"{label} playing",
    ]
