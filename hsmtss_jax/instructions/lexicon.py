"""The words the rule parser knows: command verbs, politeness, wrappers around a description."""

import re

from hsmtss_jax.instructions.instruction import Task


def _any(*options: str) -> str:
    """One regex group of alternatives, longest first so that "get rid of" beats "get"."""
    return "(?:" + "|".join(sorted(options, key=len, reverse=True)) + ")"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# Single verbs, base form. Phrases are listed below.
VERBS: dict[Task, tuple[str, ...]] = {
    "extract": (
        *("extract", "separate", "isolate", "keep", "get", "retain", "preserve", "recover"),
        *("select", "choose", "save", "find", "hear", "have", "obtain", "leave", "include", "solo"),
        *("enhance", "amplify", "boost", "highlight", "emphasize", "emphasise", "fetch", "grab"),
    ),
    "remove": (
        *("remove", "drop", "delete", "eliminate", "mute", "discard", "suppress", "cancel"),
        *("erase", "cut", "silence", "exclude", "strip", "filter", "omit", "kill", "block"),
        *("reduce", "subtract", "reject", "avoid", "lose"),
    ),
}
PHRASES: dict[Task, tuple[str, ...]] = {
    "extract": (
        *("listen to", "focus on", "pull out", "pick out", "single out", "bring out", "lift out"),
        *("separate out", "give me", "give us", "show me", "look for", "hold on to", "nothing but"),
        *(r"(?:take|play|return)(?: me| back)?(?=\s+(?:only|just|nothing)\b)",),
        r"(?:i|we)(?:'d| would| only| just| really| do| also| still)* (?:want|need|like|love|wish for)",
        r"(?:i am|i'm|we are|we're) (?:only |just )?(?:looking for|interested in|after)",
    ),
    "remove": (
        *("get rid of", "get rid off", "filter out", "take out", "take away", "cut out", "without"),
        *(
            "strip out",
            "strip away",
            "leave out",
            "throw away",
            "throw out",
            "wipe out",
            "edit out",
        ),
        *("cancel out", "tune out", "block out", "screen out", "turn off", "turn down", "shut off"),
        *("clean up", "clear out", "switch off", "silence out", "rid me of", "dispose of"),
        r"(?:i|we) (?:really )?(?:hate|dislike|can't stand|cannot stand)",
        r"(?:no more|no)(?=\s+\w)",
        r"stop(?=\s+(?:the|that|this|those|these)\b)",
    ),
}
_DOUBLED = {"get": "getting", "cut": "cutting", "drop": "dropping", "strip": "stripping"}
_DOUBLED |= {"cancel": "cancel+ing"}
_NOUNS = r"(?!\s+(?:of|by)\b)"  # "drop of water" is a sound, not a command


def gerund(verb: str) -> str:
    """ "remove" -> "removing"."""
    return _DOUBLED.get(verb, (verb[:-1] if verb.endswith("e") else verb) + "ing")


def _commands(gerunds: bool) -> dict[Task, re.Pattern[str]]:
    patterns = {}
    for task, verbs in VERBS.items():
        words = [*verbs, *PHRASES[task]]
        if gerunds:
            words += [gerund(verb) for verb in verbs]
            words += ["getting rid of", "filtering out", "cutting out"] if task == "remove" else []
        patterns[task] = _compile(rf"{_any(*words)}\b{_NOUNS}")
    return patterns


COMMANDS = _commands(gerunds=False)
COMMANDS_ING = _commands(gerunds=True)

# Verbs whose misspellings are recognised, and real words that look like misspellings of them.
TYPO_VERBS = (
    *("extract", "separate", "isolate", "preserve", "keep"),
    *("remove", "delete", "eliminate", "suppress", "discard"),
)
NOT_TYPOS = frozenset(
    (
        *("remote", "remain", "removal", "extra", "exact", "isolation", "separation", "desperate"),
        *("delicate", "keen", "creep"),
    )
)

_DETERMINER = r"(?:the|this|that|my|our|your|these|those|an?)"
_ADJECTIVE = r"(?:(?:whole|entire|original|given|attached|following|uploaded|input|mixed|noisy) )?"
_AUDIO = r"(?:audio|sound)(?: (?:clip|file|track|recording|mixture|sample|signal|mix))?"
_MEDIUM = (
    rf"(?:mixture|mix|recording|clip|file|track|soundtrack|song|video(?: clip)?|sample|signal|"
    rf"wav(?: file)?|input|podcast|{_AUDIO})s?"
)
MEDIUM = rf"(?:(?:the|this|that|my|our|your|these) {_ADJECTIVE}{_MEDIUM})"

# What may stand before a command, peeled off repeatedly.
FILLER = _compile(
    _any(
        *("please", "plz", "pls", "pleas", "plese", "kindly", "hey", "hi", "hello", "okay", "ok"),
        *("so", "now", "then", "also", "and", "but", "well", "first", "next", "finally", "simply"),
        *(
            "just",
            "only",
            "maybe",
            "perhaps",
            "instead",
            "quickly",
            "carefully",
            "to",
            "by",
            "again",
        ),
        r"(?:can|could|would|will|can't|couldn't|won't) (?:you|u|we|i|it|someone)"
        r"(?: (?:mind|maybe|possibly))*(?: to)?",
        r"(?:do you mind|are you able to|is it possible to|would it be possible to)",
        r"is there (?:a|any) way (?:for you |for me )?(?:to|of)",
        r"how (?:about|(?:do|can|could|would|should) (?:i|we|you)|to)",
        r"(?:what about|try to|try|make sure to|make sure you|go ahead and|feel free to)",
        r"(?:help|assist)(?: me| us)?(?: to| out| in| with| by| and)*",
        r"(?:let me|let us|let's|lets|allow me to)",
        r"(?:i|we)(?:'d| would| want| need| really| just| only| do| also| still| am| 'm)*"
        r" (?:want|need|like|love|wish|prefer|trying|have|hope|asking)(?: you| for you)? to",
        r"(?:i'm|we're) (?:trying|going|asking you|hoping) to",
        r"(?:your|my|the) (?:task|job|goal|aim) (?:here )?is to",
        r"you (?:should|must|need to|have to|can|could)",
        r"(?:want|need|wanna|gotta) to",
        r"i (?:wanna|gotta)",
        rf"(?:from|in|out of|on|for|given) {MEDIUM}",
    )
    + r"(?:\s*[,:]\s*|\s+)"
)
ONLY = _compile(r"\b(?:just|only)\s+$")
GENTLE = _compile(r"\b(?:please|plz|pls|pleas|plese|kindly|just|only|you|u|help|let|to|me)\b")
NEGATION = _compile(
    r"(?:(?:i|we|you)(?: really| just)? )?(?:do not|don't|dont|should not|shouldn't|never|not)"
    r"(?P<wish> (?:want|need|like|wish)(?: (?:you )?to)?)?\s+"
)

# Sentences that name a sound without asking for anything.
CONTEXT = _compile(
    _any(
        r"(?:i|we|you) (?:can |could |do |did )?(?:still |also |only |clearly )?"
        r"(?:hear|heard|notice|noticed|recorded|have|got)",
        r"(?:can|do|could|did) you hear",
        r"(?:there's|there is|there are|there was|there were|is there|are there)(?: also| still)?",
        rf"(?:{MEDIUM}|it|this) (?:has|have|contains?|includes?|features?|is full of|consists? of)",
        r"(?:here is|here's|here are|this is|that is|that's)(?: (?:a|the) recording of)?",
    )
    + r"\s+"
)
ANAPHOR = _compile(
    r"(?:it|them|this|that|these|those|him|her|both|(?:only |just )?(?:the|that|this|those|these)"
    r" (?:sounds?|noises?|ones?|parts?|two|audio))$"
)
REST = _compile(
    r"(?:absolutely )?(?:everything|anything|all|the rest|the others?|others|the other ones|all the rest"
    r"|(?:all |all of )?(?:the |every |any )?(?:other|remaining) "
    r"(?:sounds?|noises?|things?|sources?|stuff|ones?|parts?|audio)|(?:everything|anything|all|whatever)"
    r" else|the rest of it|all others)$"
)

# "everything except X": X belongs to the opposite task.
EXCEPT = _compile(
    r"(?:only |just )?(?:absolutely )?(?:everything|anything|all|"
    r"(?:all |all of )?(?:the |every |any )?(?:rest|other|others|sounds?|noises?)|"
    rf"{MEDIUM}|it)(?: else)?(?: (?:the )?(?:other )?(?:sounds?|noises?|sources?|stuff))?"
    rf"(?: (?:in|from|of|on) {MEDIUM})?,?\s+"
    r"(?:except|excluding|but not|but|other than|apart from|aside from|besides|minus|save|without|"
    r"with the exception of|with no|(?:that|which|who) (?:is not|isn't|are not|aren't))"
    r"(?: for)?\s+(?P<target>.+)$"
)
NOTHING_BUT = _compile(r"(?:absolutely )?nothing (?:else )?(?:but|except|other than)(?: for)?\s+")

# Where a description ends although the sentence goes on.
EXCLUSION = _compile(
    r",?\s+(?:without|but not|and not|not|rather than|instead of|but no|with no|excluding|minus|"
    r"(?:and )?nothing (?:else|more)|so that|so i|because|since it|as it)\b.*$"
)
PLAIN_EXCLUSION = _compile(r",?\s+(?:without(?!\s+\w+ing\b)|but not|but no)\s.*$")
APART = _compile(r"\s+from (?:all|the|every|everything|other|any)\b.*$")

LEADING = _compile(
    r"(?:please,?|only|just|solely|purely|out|away|me|us|for me|all(?: of)?|any|the|that|this|those|these|"
    r"nothing but|of|to|"
    r"(?:an? |the |that |any )?(?:sounds?|noises?|audio|sound effects?|parts?)"
    r" (?:of|from|made by|coming from|produced by|where|in which)|"
    r"(?:something|anything) that sounds like|anything like)\s+"
)
TRAILING = _compile(
    r"[\s,]+(?:please|plz|pls|thanks?(?: you)?(?: so much| very much| a lot)?|for (?:me|us|now)|"
    r"if (?:possible|you (?:can|could|may|please|would))|completely|entirely|totally|altogether|"
    rf"right now|only|by itself|on its own|as well|too|"
    rf"(?:from|in|out of|of|on|within|inside|that is in|that are in|present in) {MEDIUM}|"
    r"from (?:it|here|everything(?: else)?|(?:all )?the rest|(?:all )?(?:the )?other (?:sounds?|noises?)))$"
)

# "Can X be removed?", "X should be removed", "I want X removed", "make X disappear", "turn X off".
_REMOVED = _any(
    *("removed", "deleted", "eliminated", "muted", "dropped", "gone", "silenced", "erased"),
    *("suppressed", "discarded", "filtered out", "cut out", "cut", "taken out", "turned off"),
)
_EXTRACTED = _any(
    *("extracted", "separated", "isolated", "kept", "retained", "preserved", "left"),
)
_DONE = rf"(?P<done>(?P<remove>{_REMOVED})|{_EXTRACTED})"
PASSIVES = tuple(
    _compile(pattern)
    for pattern in (
        rf"(?:can|could|would|should|may) (?P<target>(?!you\b|i\b|we\b).+?) be {_DONE}$",
        rf"(?P<target>.+?) (?:should|must|needs? to|has to|have to|ought to) be {_DONE}$",
        rf"(?:i|we)(?:'d| would)? (?:really |just )?(?:want|need|like|prefer) "
        rf"(?:if )?(?P<target>(?!to\b|you\b).+?) (?:to be |was |were )?{_DONE}$",
        r"make (?P<target>.+?) (?P<remove>disappear|go away|vanish|stop|silent)$",
        r"(?:turn|switch|shut|take|filter|cut|strip|edit|leave|throw|tune|block) "
        r"(?P<target>(?!off\b|out\b|away\b|down\b).+?) (?P<remove>off|out|away|down)$",
        r"(?:pull|pick|single|bring|lift) (?P<target>(?!out\b).+?) out$",
    )
)

SENTENCE_END = re.compile(r"[.!?;]+(?=\s|$)|\n+")
CLAUSE = _compile(
    r"\s*[,—:]\s*(?:(?:and|but|then|so|while|also)\s+)*|\s+(?:(?:and|but|then|so|while|by)\s+)+"
)
