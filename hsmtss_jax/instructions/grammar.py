"""Grammar of instructions: word lists, and a table of sentence frames written with them.

``{NAME}`` in a pattern stands for any word of the list NAME, ``{X}`` for the target. Frames are tried
from top to bottom, each behind as many words of politeness (LEAD) as there are and then behind fewer.
"""

import dataclasses
import functools
import re
from typing import Literal

TaskWord = Literal["extract", "remove"]


# Lists are separated by commas; a word may be a pattern. British and American spelling both.
WORDS: dict[str, str] = {
    "EXTRACT": "extract, separate, isolate, keep, get, retain, preserve, recover, select, choose, "
    "save, find, hear, have, obtain, leave, include, solo, enhance, amplify, boost, raise, increase, "
    "highlight, emphasi[sz]e, fetch, grab, restore, unmask",
    "REMOVE": "remove, drop, delete, eliminate, mute, discard, suppress, cancel, erase, cut, silence, "
    "exclude, strip, filter, omit, kill, block, reduce, subtract, reject, avoid, lose, attenuate, "
    "neutrali[sz]e, minimi[sz]e, lower, hush, ditch, nuke, decrease, soften, quieten, halve",
    "EXTRACT_PHRASE": "listen to, focus on, pull out, pick out, single out, bring out, lift out, "
    "separate out, give me, give us, show me, look for, hold on to, nothing but, turn up, "
    "(?:take|play|return)(?: me| back)?(?= (?:only|just|nothing) )",
    "REMOVE_PHRASE": "get ri[dt]e? (?:of|off), gets? rid of, filter out, take out, take away, cut out, "
    "strip out, strip away, leave out, throw away, throw out, wipe out, edit out, cancel out, "
    "tune out, block out, screen out, turn off, turn down, tone down, dial down, bring down, "
    "shut off, shut up, clear out, switch off, "
    "silence out, rid me of, spare me, spare us, kick out, dispose of, without(?! making ), "
    "no more, less, fewer, "
    "stop(?= (?:the|that|this|those|these) )",
    "WANT": "want, need, like, prefer, wish for, would love, 'd love, interested in, looking for, "
    "(?<=am |'m |re )after",
    "REMOVED": "removed, deleted, eliminated, muted, dropped, gone, silenced, erased, suppressed, "
    "discarded, reduced, filtered out, cut out, cut, taken out, turned off",
    "EXTRACTED": "extracted, separated, isolated, kept, retained, preserved, left",
    "SHOULD": "should, must, needs? to, has to, have to, ought to",
    "CAN": "can, could, would, should, may",
    "QUIET": "disappear, go away, vanish, stop, silent, quiet, quieter, softer, less loud",
    "LOUD": "louder, clearer, stand out, audible, easier to hear",
    "NO_TARGET": "to, you, rid, only, just, out, up",
    "MUCH": "a bit, way, far, much, a little",
    "OFF": "off, out, away, down",
    "ALONE": "alone, (?:all )?(?:on|by) (?:its|his|her|their) own, by (?:it|him|her)self, "
    "by themselves, in isolation",
    "NOISE": "noises?, hiss, hum, static, crackles?, crackling, clicks?, pops?, buzz, buzzing, rumble, "
    "echo, reverb, interference, distortion",
    # Names of things that begin with a verb.
    "NAME": "get (?:louder|quieter|closer|nearer|faster|slower|softer|stronger), "
    "silence followed, silence then, silence and, drop tower, drop forge, cut glass, "
    "cut grass, mute button, "
    "mute swan, block party, filter coffee, strip club, cancel button, delete key, delete button, "
    "keep left, keep right, kill switch, save button, solo(?: [a-z-]+)+ music",
    "MEDIUM_NOUN": "mixture, mix, recording, clip, file, track, soundtrack, song, video(?: clip)?, "
    "sample, signal, wav(?: file)?, input, podcast, "
    "(?:audio|sound)(?: (?:clip|file|track|recording|mixture|sample|signal|mix))?",
    "WHICH": "whole, entire, original, given, attached, following, uploaded, input, mixed, noisy, full",
    "POINTER": "the, this, that, my, our, your, these",
    "MEDIUM": "{POINTER} (?:{WHICH} )?{MEDIUM_NOUN}s?",
    "ALL": "(?:only |just |absolutely )*(?:everything|everyone|everybody|anything|anyone|all), "
    "(?:all |all of )?(?:the |every |any )?(?:rest|others?|sounds?|noises?|sources?), {MEDIUM}, it",
    "EXCEPT": "except, excluding, but not, but no, but, other than, apart from, aside from, besides, minus, "
    "save, without, with the exception of, with no, (?:that|which|who)(?:'s| is| are) not, "
    "(?:that|which|who) (?:isn't|aren't)",
    "ALL_BUT": "{ALL}(?: else)?(?: in)?(?: (?:the )?(?:other )?(?:sounds?|noises?|sources?|stuff))?"
    "(?: (?:in|from|of|on) {MEDIUM})?,? {EXCEPT}(?: for)?",
    "PLEASE": "pl[eais]*[sz]+e*, kindly",
    # Politeness: words that may precede a command, in any order and number.
    "LEAD": "{PLEASE}, hey, hi, hello, okay, ok, so, now, then, also, and, but, well, first, next, "
    "finally, simply, just, only, maybe, perhaps, possibly, instead, quickly, carefully, again, "
    "really, still, actually, always, somehow, sorry, thanks?, thank you, in advance, no(?=,), "
    "i, i'd, i'm, i'll, we, we'd, we're, you, you'd, u, me, us, it, it'd, someone, somebody, anyone, "
    "can, could, would, will, should, may, might, must, can't, couldn't, won't, wouldn't, do, be, is, "
    "am, are, was, were, want, wants?, wanna, gotta, need, like, love, wish, prefer, have, hope, hoping, "
    "try, trying, going, asking, wondering, wonder, looking, able, possible, glad, happy, grateful, "
    "great, nice, lovely, good, cool, awesome, kind, appreciate, think, guess, believe, pretty(?= pl), "
    "mind, help, helping, assist, let, let's, lets, "
    "how, why (?:don't|not), what's, what is, what about, about, if, whether, to, by, for, in, out, with, "
    "as, enough, any, way, chance, there, go, ahead, sure, feel free, make sure, rather, "
    "that(?= (?:you|i|we) ), if it(?:'s| is) not too much trouble, if you (?:can|could|don't mind), "
    "(?:a|an|the|any) (?:(?:best|easy|easiest|good|simple|quick) )?(?:way|favou?r|chance), "
    "(?:your|my|the) (?:task|job|goal|aim)(?: here)?, "
    "(?:q|task|user|query|instruction|prompt|request)(?= ?:), "
    "(?:from|in|within|out of|on|for|given) {MEDIUM}, "
    "never mind(?: (?:the|that|about) [a-z ]{1,30}?)?(?=,)",
    "NOT_TYPO": "remote, remain, remains, removal, extra, exact, isolation, separation, separator, "
    "desperate, delicate, delegate, keen, creep, silent, silences, absolute, desolate",
    # Words that name no sound by themselves, and verbs that may.
    "EMPTY": "a, an, the, it, its, this, that, these, those, them, her, him, both, everything, anything, "
    "everyone, all, rest, other, others, sound, sounds, audio, recording, file, of, or, please, thanks, "
    "thank, they, he, she, ones, thing, things, stuff, something, nothing, not, don't, never, no, "
    "without, less, more",
    "REST": r"(?:absolutely )?(?:everything|anything|all|all others|(?:all )?the (?:rest|others?|other ones)"
    r"|the rest of it|(?:all |all of )?(?:the |every |any )?(?:other|remaining) "
    r"(?:sounds?|noises?|things?|sources?|stuff|ones?|parts?|audio)"
    r"|(?:everything|anything|all|whatever) else)",
    "VERB_NOUNS": "solo, silence, hush",
    "MUST": "should, must, needs? to, has to, have to, ought to, is to, are to, has got to, have got to, "
    "gotta",
    "GO": "go away, go, disappear, vanish, leave, stop, be gone, be out",
    "STAY": "stay, remain, be there",
    "SHORT": r"\S+(?: \S+){0,7}",
    "FEW": r"(?!(?:\S+ )*(?:you|i|we|they|he|she|it|who|that|which|as)\b)\S+(?: \S+){0,2}",
    "THE": "the, that, those, this, these, my, all, everything, only, just",
    "VOCALS_OUT": "karaoke, instrumentals?, backing track",
    "VOCALS_ONLY": "a ?c[ap]+ell?a",
}
INFLECTED = frozenset({"EXTRACT", "REMOVE", "EXTRACT_PHRASE", "REMOVE_PHRASE"})
_DOUBLED = frozenset({"get", "cut", "drop", "strip"})
_PAST = {"get": "got", "cut": "cut", "keep": "kept", "find": "found", "hear": "heard"}
_PAST |= {"have": "had", "leave": "left", "choose": "chose", "lose": "lost"}
_PAST |= {"take": "took", "throw": "threw"}


def words(name: str) -> list[str]:
    """Return the entries of the list ``name``."""
    return [entry.strip() for entry in WORDS[name].split(", ")]


def gerund(verb: str) -> str:
    """Return the -ing form: "remove" -> "removing", "get rid of" -> "getting rid of"."""
    verb, space, rest = verb.partition(" ")
    stem = verb + verb[-1] if verb in _DOUBLED else verb.removesuffix("e")
    return f"{stem}ing{space}{rest}"


def past(verb: str) -> str:
    """Return the past form: "remove" -> "removed", "get rid of" -> "got rid of"."""
    verb, space, rest = verb.partition(" ")
    stem = verb + verb[-1] if verb in _DOUBLED else verb.removesuffix("e")
    return f"{_PAST.get(verb, stem + 'ed')}{space}{rest}"


def _group(name: str, inflected: bool = False) -> str:
    """Return the list as one regex group, longest first: "get rid of" is tried before "get"."""
    entries = words(name)
    if inflected:
        entries = [form(entry) for entry in entries for form in (gerund, past)]
    return "(?:" + "|".join(sorted(map(_fill, entries), key=len, reverse=True)) + ")"


def _fill(pattern: str, inflected: bool = False) -> str:
    pattern = pattern.replace("{X}", r"(?P<x>.+?)").replace(
        "{GAP}", r"(?:\s*[,:/—]\s*|\s+-+\s*|\s+)"
    )
    return re.sub(
        r"\{([A-Z_]+)\}",
        lambda found: _group(found[1], inflected and found[1] in INFLECTED),
        pattern,
    )


@functools.cache
def compiled(pattern: str, inflected: bool = False) -> re.Pattern[str]:
    """Return the pattern with its lists filled in, compiled."""
    return re.compile(_fill(pattern, inflected), re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Frame:
    """Describe a form of request. says: the description where the sentence has none."""

    task: TaskWord
    pattern: str
    says: str = ""


# fmt: off
FRAMES: tuple[Frame, ...] = (
    # The only frames that add a word to the user's own: the verb itself implies it.
    Frame("remove",  r"de-?nois(?:e|ing)(?: (?:{MEDIUM}|it|this|that))?", says="noise"),
    Frame("remove",  r"clean(?: up)? (?:{MEDIUM}|it|this|that)(?: up)?", says="noise"),
    Frame("remove",  r"clean(?: up)? (?P<x>.*\b{NOISE})"),
    Frame("extract", r"clean(?: up)? {X}"),
    Frame("extract", r"de-?noise {X}"),
    Frame("remove",  r"(?P<x>(?:\w+ )?(?:{NOISE}|vocals?)) (?:removal|remover|reduction|suppression)"),
    Frame("extract", r"(?:make|create)(?: me| us)? (?P<x>(?:an? |the )?(?:{VOCALS_OUT}|{VOCALS_ONLY}).*)"),
    Frame("remove",  r"de-?noise (?P<x>.*\b{NOISE})"),
    # What stays and what goes.
    Frame("extract", r"{ALL} (?:else )?{MUST} (?:go|disappear|vanish|leave),? {EXCEPT}(?: for)? {X}"),
    Frame("remove",  r"{ALL} (?:else )?{MUST} (?:stay|remain),? {EXCEPT}(?: for)? {X}"),
    Frame("extract", r"{X} stays?(?: in)?[,;]? (?:and |but |while )?{REST} (?:goes|go|leaves?|disappears?)"),
    Frame("remove",  r"{X} (?:goes|go)[,;]? (?:and |but |while )?{REST} (?:stays?|remains?)(?: in)?"),
    Frame("remove",  r"(?P<x>{SHORT}) {MUST} (?:all )?{GO}"),
    Frame("extract", r"(?P<x>{SHORT}) {MUST} (?:all )?{STAY}(?: in| there)?"),
    Frame("remove",  r"(?P<x>{THE} {SHORT}) (?:can|may) (?:all )?{GO}"),
    Frame("extract", r"(?P<x>{THE} {SHORT}) (?:can|may) (?:all )?{STAY}(?: in| there)?"),
    Frame("remove",  r"(?P<x>{FEW}) (?:can|may) (?:all )?{GO}"),
    Frame("extract", r"(?P<x>{FEW}) (?:can|may) (?:all )?{STAY}(?: in| there)?"),
    Frame("remove",  r"{CAN} (?!you |i |we |make |let ){X} (?:please )?{GO}"),
    Frame("extract", r"{CAN} (?!you |i |we |make |let ){X} (?:please )?{STAY}(?: in| there)?"),
    Frame("extract", r"(?:tell|set) {X} apart from .+"),
    Frame("extract", r"bring {X} (?:forward|closer|to the front)"),
    Frame("remove",  r"push {X} (?:further )?(?:back|away|down)"),
    Frame("remove",  r"(?:take|leave|filter|cut) nothing (?:out |away )?(?:but|except|other than) {X}"),
    Frame("remove",  r"{X}:\s*(?:off|out)"),
    Frame("remove",  r"(?:make sure|see to it|if)(?: that)? {X} (?:goes away|disappears|vanishes"
                     r"|(?:is|are|was|were) {REMOVED})"),
    Frame("extract", r"(?:leave|keep) {X} in[,;]? (?:and |but )?{REST} out"),
    Frame("extract", r"(?:leave|keep) nothing (?:in |else )*(?:but|except|other than) {X}"),
    Frame("extract", r"let (?:only |just )?{X} (?:remain|stay|through)"),
    Frame("extract", r"(?:leave|keep|let) in {X}"),
    Frame("extract", r"(?:leave|keep|let) (?!out |off |away ){X} (?:in|stay(?: in)?|untouched|intact"
                     r"|as (?:it is|is|they are))"),
    # "Get the singer out of this song" extracts, "get that noise out" and "... out of there" remove.
    Frame("remove",  r"get (?!out |rid |up ){X} out of (?:it|here|there)"),
    Frame("remove",  r"get (?P<x>(?:that|those|these|all) .+?|[^,]*\b{NOISE}) out(?: of .+)?"),
    Frame("remove",  r"(?:get|take) (?!off |out |rid ){X} off (?:it|there|{POINTER} (?:tape|{MEDIUM_NOUN}))"),
    Frame("remove",  r"{WANT} (?!to |you ){X} (?:out|off|away|gone)(?: of (?:it|here|there|this|that))?"),
    # The verb behind a comma or a colon: "the dog, remove", "hum: mute it".
    Frame("remove",  r"{X}(?:\s*[,:=]\s*|\s+[-—]+\s+)(?:remove|delete|mute|eliminate|erase|discard|suppress)"
                     r"(?: (?:it|them|this|that))?"),
    Frame("extract", r"{X}(?:\s*[,:=]\s*|\s+[-—]+\s+)(?:keep|extract|isolate|preserve|retain)"
                     r"(?: (?:it|them|this|that))?"),
    # Targets before the verb, or inside it.
    Frame("extract", r"(?P<x>{ALL_BUT} .+)"),
    Frame("remove",  r"{CAN} (?!you |i |we ){X} be {REMOVED}"),
    Frame("extract", r"{CAN} (?!you |i |we ){X} be {EXTRACTED}"),
    Frame("remove",  r"{X} (?:(?:that|which|who) )?{SHOULD} be {REMOVED}"),
    Frame("extract", r"{X} (?:(?:that|which|who) )?{SHOULD} be {EXTRACTED}"),
    Frame("remove",  r"{WANT} (?:if )?(?!to |you ){X} (?:to be |was |were )?{REMOVED}"),
    Frame("extract", r"{WANT} (?:if )?(?!to |you ){X} (?:to be |was |were )?{EXTRACTED}"),
    Frame("remove",  r"make {X} {QUIET}"),
    Frame("extract", r"make {X} {LOUD}"),
    Frame("remove",  r"(?:have|get|want) (?!{NO_TARGET} ){X} (?:to be )?{QUIET}"),
    Frame("extract", r"(?:have|get|want) (?!{NO_TARGET} ){X} (?:to be )?{LOUD}"),
    Frame("remove",  r"duck (?P<x>(?:the|that|this|these|those|my|our) .+)"),
    Frame("remove",  r"{CAN} (?!you |i |we |make |let ){X} be (?:made )?{QUIET}"),
    Frame("extract", r"{CAN} (?!you |i |we |make |let ){X} be (?:made )?{LOUD}"),
    Frame("remove",  r"(?!make ){X} (?:{SHOULD} be|could be|can be) {QUIET}"),
    Frame("extract", r"(?!make ){X} (?:{SHOULD} be|could be|can be) {LOUD}"),
    Frame("remove",  r"(?P<x>{REST}|{POINTER} \S+(?: \S+)?) (?:quieter|softer)"),
    Frame("extract", r"(?P<x>{REST}|{POINTER} \S+(?: \S+)?) louder"),
    Frame("remove",  r"(?P<x>{THE} {SHORT}) (?:is|are|was|were) (?:{MUCH} )?too (?:loud|noisy)"),
    Frame("extract", r"(?P<x>{THE} {SHORT}) (?:is|are|was|were) (?:{MUCH} )?too (?:quiet|soft)"),
    Frame("extract", r"double (?P<x>(?:the|that|this|these|those|my|our) .+)"),
    Frame("remove",  r"(?:turn|switch|shut|take|filter|cut|strip|edit|leave|keep|throw|tune|block|kick)"
                     r" (?!{OFF} ){X} {OFF}(?: of (?:it|here|there))?"),
    Frame("extract", r"(?:pull|pick|single|bring|lift|get) (?!out |up |rid ){X} out(?: (?:of|from) .+)?"),
    Frame("extract", r"(?:pull|pick|bring|lift|turn|get|crank|push) (?!out |up |rid |{OFF} ){X} up"),
    Frame("remove",  r"(?:bring|tone|dial|push|get|fade) (?!down |up ){X} (?:down|back)"),
    Frame("extract", r"what (?:do|does|did|would) {X} sounds? like(?: {ALONE})?"),
    # The verb, then its target.
    Frame("remove",  r"{REMOVE_PHRASE}{GAP}{X}"),
    Frame("extract", r"{EXTRACT_PHRASE}{GAP}{X}"),
    Frame("remove",  r"(?!{NAME}\b){REMOVE}(?! (?:of|by) ){GAP}{X}"),
    Frame("extract", r"(?!{NAME}\b){EXTRACT}(?! (?:of|by) ){GAP}{X}"),
    Frame("remove",  r"(?:hate|dislike|can't stand|cannot stand) {X}"),
    Frame("extract", r"{WANT} (?!to |you ){X}"),
    Frame("remove",  r"(?:no|not(?! \w+ing\b)) {X}"),
    Frame("extract", r"(?:just|only) {X}"),
)
# fmt: on

# Verbs whose misspellings are recognised; words that look like misspellings are NOT_TYPO.
TYPO_VERBS: dict[str, TaskWord] = {
    **dict.fromkeys(("extract", "separate", "isolate", "preserve", "keep"), "extract"),
    **dict.fromkeys(("remove", "delete", "eliminate", "suppress", "discard", "mute"), "remove"),
    **dict.fromkeys(("drop", "silence"), "remove"),
}

LEAD = r"{LEAD}(?:\s*[,:]\s*|\s+)"
NEGATION = (
    r"(?:(?:do|does|should|must|did|would) not|don'?t|shouldn't|mustn't|wouldn't want|never|not)\s+"
)
HARMLESS = r"\b(?:never mind|why (?:don't|not)|not too much trouble|don't mind)\b"  # negate nothing
# After these a verb may end in -ing or -ed: "would you mind removing", "grateful if you removed".
INFLECTED_LEAD = (
    r"(?:^|.*\s)(?:mind|about|by|with|of|in|for|try|trying|help|appreciate|if (?:you|i|we))\s+"
)
POLITE = r"(?:.*\b)(?:{PLEASE}|just|only|you|u|help|let|to|me)\b.*"

# Sentences that name a sound without a request.
CONTEXT = (
    r"(?:(?:i|we|you) (?:can |could |do |did )?(?:still |also |only |clearly )?"
    r"(?:hear|heard|notice|noticed|recorded|have|got)|(?:can|do|could|did) you hear|where(?:'s| is| are)|"
    r"(?:there's|there (?:is|are|was|were)|(?:is|are) there)(?: also| still)?|"
    r"(?:{MEDIUM}|it|this) (?:has|have|contains?|includes?|features?|is full of|consists? of)|"
    r"(?:here is|here's|here are|this is|that is|that's)(?: (?:a|the) recording of)?)\s+"
)
# "it", and "the rest": targets named in an earlier clause.
ANAPHOR = (
    r"(?:it|them|this|that|these|those|him|her|both|(?:only |just )?(?:the|that|this|those|these)"
    r" (?:sounds?|noises?|ones?|parts?|two|audio))"
)
REST = "{REST}"
# "everything except X": X belongs to the opposite task. "nothing but X": X to this one.
EXCEPT = r"{ALL_BUT} {X}"
NOTHING_BUT = r"(?:absolutely )?nothing (?:else )?(?:but|except|other than)(?: for)? {X}"

# Words that end the description within a sentence.
EXCLUSION = (
    r",?\s+(?:without|but not|and not|not|rather than|instead of|but no|with no|excluding|minus|"
    r"leaving|ignoring|(?:and )?nothing (?:else|more)|so that|so i|because|since it|as it(?:'s| is))\b.*"
)
PLAIN_EXCLUSION = r"(?:,?\s+(?:without(?! (?:\w+ing|an?)\b)|but not|but no|minus)|, (?:not|no))\s.*"
APART = r"\s+from (?:all|the|every|everything|other|any|background|noise)\b.*"

PICKED = r"\s+from (?!(?:afar|far|above|below|behind)\b).*"  # after "pick out X"

# Words around a description that do not belong to it.
BEFORE = (
    r"(?:{PLEASE},?|only|just|solely|purely|out|away|me|us|for me|all(?: of)?|both|any|of|to|nothing but|"
    r"the|that|this|those|these|(?:an? |the |that |any )?(?:sounds?|noises?|audio|sound effects?|parts?)"
    r" (?:of|from|made by|coming from|produced by|where|in which)|"
    r"(?:the )?(?:volume|level|loudness) of|"
    r"(?:something|anything) that sounds like|anything like)\s+"
)
BEHIND = (
    r"[\s,]+(?:{PLEASE}|thanks?|thx|thank you|(?:so|very) much|a lot|for (?:me|us|now)|if (?:possible|you "
    r"(?:can|could|may|please|would))|completely|entirely|totally|altogether|right now|only|as well|too|"
    r"{ALONE}|in there|(?:from|in|of|on(?! the tracks?\b)|within|inside|throughout|that is in|that are in|"
    r"present in) {MEDIUM}|from {MEDIUM_NOUN}|"
    r"from (?:it|here|there)|(?:from|(?<=out )of) (?:this|the background|everything(?: else)?|"
    r"(?:all )?the rest|(?:all )?(?:the )?other (?:sounds?|noises?)))"
)
AROUND = r"(?:sounds?|noises?) (?:that )?{X} (?:makes?|is making|are making|produces?)"

# Names of mixes without the voice, or with the voice alone.
VERSION = r"(?: (?:version|track|mix|part|only))*"
MEANINGS: dict[str, tuple[TaskWord, str]] = {
    r"(?:an? )?{VOCALS_OUT}" + VERSION: ("remove", "vocals"),
    r"(?:an? )?{VOCALS_ONLY}" + VERSION: ("extract", "vocals"),
}

# Words around a target that change its level, and do not take it away or bring it out as a whole.
LOWER = (
    r"\b(?:lower\w*|reduc\w+|decreas\w+|attenuat\w+|soften\w*|softer|duck\w*|quieter|quieten\w*|halv\w+"
    r"|less|fewer|too loud|(?:turn|take|bring|tone|dial|push|keep|fade)\w* (?:.* )?(?:down|back))\b"
)
LOUDER = (
    r"\b(?:rais\w+|increas\w+|amplif\w+|boost\w*|louder|doubl\w+|too (?:quiet|soft|faint)"
    r"|(?:turn|bring|crank|push|dial)\w* (?:.* )?up)\b"
)

# A label before a request ("Podcast edit: remove the hum"), and labels that say what follows is noise.
LABEL = (
    r"(?P<label>(?!(?:an?|the|some|someone|somebody|people|he|she)\b)(?!.*\b(?:says?|saying|sings?|singing|announces?)\b)"
    r"[^,.;:!?]{1,40}?)(?:\s*:\s*|\s+[-—]+\s+)(?P<rest>.+)"
)
VERB_LABEL = r"(?:{PLEASE} )?(?:{EXTRACT}|{REMOVE})\s*:"
SECOND_VERB = (
    r"[,;.!?—]\s*(?:(?:and|but|then|please)\s+)*"
    r"(?:extract|isolate|keep|preserve|remove|delete|mute) \w"
)
NOISE_LABEL = (
    r"de-?nois(?:e|ing|er)|(?:noise|hiss|hum) (?:reduction|removal|remover)|clean(?:-| )?up"
)

SENTENCE_END = r"[.!?;]+(?=\s|$)"
CLAUSE = (
    r"(?:(?:\s*[,—:]|\s+/)\s*(?:(?:and|but|then|so|while|also)\s+)*|\s+(?:(?:and|but|then|so|while|by)\s+)+)"
    r"(?!not\b)"
)
