"""Recognise query templates filled with a caption, and keep the caption word for word.

Captions contain words that have another meaning in requests ("as it takes off", "without a pause",
"on the tracks", "then silence"), so the grammar must not parse them. Requests begin with the same heads
("Remove the dog from the recording, please"). A text is a filled template when:

- it begins with the head itself, without politeness before it;
- after "Extract:" and "Extract the sound of", the next word is not "my", "everything" and the like, and
  not "the" where a known sound is excluded;
- after a bare "Extract", the next word begins a caption (a capital letter, "a", "someone"), and no known
  sound is excluded ("without the music");
- no second command follows ("..., keep the speech").
"""

import re

from hsmtss_jax.instructions.grammar import MEANINGS, SECOND_VERB, compiled
from hsmtss_jax.instructions.instruction import Instruction
from hsmtss_jax.instructions.templates import TEMPLATES
from hsmtss_jax.task import Task

_TASKS = {template.split()[0].lower(): task for task in TEMPLATES for template in TEMPLATES[task]}
_VERB = "(?i:{})".format("|".join(sorted({word.rstrip(":") for word in _TASKS})))
_EXPLICIT = re.compile(rf"(?P<verb>{_VERB})(?:\s*:\s*(?:the sound of )?| (?i:the sound of) )")
_BARE = re.compile(rf"(?P<verb>{_VERB}) ")

_DEFINITE = re.compile(
    r"(?:the|that|this|those|these|my|our|your|his|her|its|their|it|them|him|both|all|any|every|no|not"
    r"|every(?:thing|one|body)|any(?:thing|one|body)|whatever|nothing|absolutely|only|just|solely)\b"
)
_DEFINITE_START = re.compile(
    r"the (?!sound of\b|rest\b|others?\b|sounds? (?:that|made|from|coming)\b|\w+ (?:only|alone)$)|this is "
)
_CAPTION_START = re.compile(
    r"(?!(?:an? (?:little|bit)|some|part) of (?:the|that|this|my)\b)"
    r"(?:[A-Z]|(?:an?|some|some(?:one|body|thing)|several|many|multiple|various|people|two|three|four|five"
    r"|a few|there (?:is|are)|another)\b)"
)
_EXCLUSION = (
    r"\b(?:without|but not|and not|rather than|instead of|but no|with no|excluding|ignoring|minus|from)"
    r" (?:the|that|this|those|these|my|all|every|everything|other)\b(?! (?:\w+ )?(?:distance|end)\b)"
    r"|\b(?:so that|so|because|since|as) (?:i|we|my|our|it's)\b|,(?: and)? nothing (?:else|more)$"
)
_SECOND_COMMAND = (
    r"(?:[,.;!?—]|\b(?:and|but|then))\s*(?:(?:and|but|then|also|please|just|only|do not|don't)\s+)*"
    r"(?:extract|separate|isolate|keep|remove|delete|mute|leave)"
    r" (?:the (?!room\b|house\b)|that|this|those|these|my|it\b|them\b|only|just|all|every)"
    r"|" + SECOND_VERB
)
_RECORDING = (
    r"(?:mixture|mix|recording|soundtrack|(?:audio|sound|video) (?:clip|file|track|recording|mixture)"
    r"|audio|(?:wav )?file|clip)"
)
_CLOSING = (
    r"(?:[\s,]+(?:{PLEASE}|thanks?|thx|thank you(?: (?:so|very) much)?|for me|only|if (?:possible|you can))"
    r"|[\s,]+(?:from|in|within|inside|throughout|out of) {POINTER} (?:{WHICH} )?" + _RECORDING + r""
    r"|[\s,]+from (?:my|our|this|your) {MEDIUM_NOUN})$"
)


def caption_query(text: str) -> Instruction | None:
    """Return the task and the caption of a filled template; None where ``text`` is another request.

    ``text`` is normalised. Thanks, "from the recording" and the final stop are stripped from the end.
    """
    if match := _EXPLICIT.match(text):
        caption = text[match.end() :]
        taken = not _DEFINITE.match(caption) or _begins_definite(caption)
    elif match := _BARE.match(text):
        caption = text[match.end() :]
        taken = bool(_CAPTION_START.match(caption)) and not compiled(_EXCLUSION).search(caption)
    else:
        return None
    if not taken or caption.istitle() or compiled(_SECOND_COMMAND).search(caption):
        return None
    return _instruction(match["verb"], caption)


def _begins_definite(caption: str) -> bool:
    """Return whether a definite word begins a caption ("the wind is blowing") behind an explicit head."""
    return bool(_DEFINITE_START.match(caption)) and not compiled(_EXCLUSION).search(caption)


def _instruction(verb: str, caption: str) -> Instruction | None:
    caption, stripped = " ".join(caption.split()), ""
    while caption != stripped:
        stripped = caption.rstrip(" .,;:!?-—/").lstrip(" .,;:!?-—/")
        caption = compiled(_CLOSING).sub("", stripped)
    meant = any(compiled(pattern).fullmatch(caption) for pattern in MEANINGS)
    if meant or not any(character.isalnum() for character in caption):
        return None
    return Instruction(Task(_TASKS[verb.lower()]), caption, "rules")
