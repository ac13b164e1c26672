"""Pronouns: who "she" is, from what was named in the last turns.

Only what is sure is resolved: a pronoun at the start of a clause with one possible referent in the
nearest sentence that has any. "I", "we" and "you" are never touched. What stays open stays as it is:
a wrong referent is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .mentions import COUNTED, NAME, PERSON, PET, PLACE, RIVAL, THING, Mention, is_name, mentions, pairs_in
from .naming import NOT_A_NAME
from .values import title_names
from .whose import without_lead

__all__ = ["Talk"]

# sentences back that a pronoun may refer to
_REACH = {PERSON: 6, PET: 6, NAME: 5, RIVAL: 3, PLACE: 4, THING: 2, COUNTED: 4}
_MOST_KEPT = 32
_READ_CHARS = 600  # of a longer sentence, the beginning

_LEAD = r"(?:(?:and|but|so|also|yes|yeah|no|well|oh|plus|because|then|apparently|actually|anyway)[,]? )*"
_WHEN = (
    r"(?:(?:(?:every|each|most|last|this|next|on) \w+(?: morning| evening| night)?|sometimes|usually|"
    r"yesterday|today|nowadays|these days|right now)[,]? )?"
)
_PRONOUN = re.compile(
    rf"(?P<lead>{_LEAD}{_WHEN})(?P<word>he|she|it|they|his|her|its|their|"
    r"the (?P<only>former|latter)|the (?P<rank>first|second|other|"
    r"third|last|older|elder|younger|oldest|eldest|youngest|bigger|smaller|big|small|little) one)"
    r"(?P<short>'(?:s|re|ve|ll|d)|(?<=\bhe)s|(?<=\bshe)s|(?<=\bthey)(?:re|ve))?(?= )(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_CLASS = {"his": "he", "her": "she", "its": "it", "their": "they"}
_POSSESSIVE = ("his", "her", "its", "their")
_NAMES = re.compile(
    rf"{_LEAD}(?P<whose>his|her|its|their) (?:first |full )?name(?:'s|s| is) "
    r"(?P<name>[\w'’.-]+(?: [\w'’.-]+){0,2})$",
    re.IGNORECASE,
)
# "She's called the Salty Heron": of what was just spoken of, whatever it is.
_IS_CALLED = re.compile(
    rf"{_LEAD}(?P<whose>he|she|it|they)(?:'s|'re|s| is| are| was) (?:now )?(?:called|named) "
    r"(?P<name>(?:the )?[\w'’.-]+(?: [\w'’.-]+){0,2})$",
    re.IGNORECASE,
)
_THEN_CALLED = re.compile(
    r"(?<=\w)[,;]?(?: and| but)? (?=(?:he|she|it|they)(?:'s|'re|s| is| are) (?:called|named) )", re.IGNORECASE
)
# "We keep her in Falmouth": a pronoun further on, what follows shows that nobody has anything.
_OBJECT = re.compile(
    rf"(?P<lead>{_LEAD}(?:i|we|they|my \w+|our \w+|the kids|everyone)(?:'\w+)? "
    r"(?!said|told|asked|think|know|hope)"
    r"(?:[\w']+ ){1,4}?)(?P<word>him|her|it|them)"
    r"(?=(?: (?:in|on|at|to|for|from|with|by|every|twice|once|up|out|off|down|near|under|behind|after|before|"
    r"since|until|only|now|each|outside|inside|downstairs|upstairs|\w+days?)\b(?P<rest>.*)|[.!]*)$)",
    re.IGNORECASE | re.DOTALL,
)
_THIRD = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|theirs)\b|\b(?:he|she|it|they)(?:'\w+|s\b)",
    re.IGNORECASE,
)
_SUBJECTS = {"him": "he", "her": "she", "it": "it", "them": "they"}
_RANKS = {"first": 0, "second": 1, "third": 2, "last": -1, "other": 1, "former": 0, "latter": -1}
_HAS_AFTER = re.compile(
    r" (?:just |already |always |never |only |now |also )?(?:got|been|had|gone|lost|left|moved|"
    r"become|started|"
    r"stopped|bought|sold|taken|given|passed|died|broken|changed|turned|quit|finished|joined|adopted)\b"
)

# "It" that stands for no thing: weather, time, what just happened, how it feels.
_NO_THING = re.compile(
    r"(?:'s|s| is| was| (?:can|could|may|might|must|should|would|will)(?: have)? (?:be|been)|'ll "
    r"be| has been| would be| feels?| felt| seems?| sounds?| gets?| got)?(?:n't| not)?"
    r"(?: been| so| really| very| such| a bit| too| pretty| just| all| quite| always| still| "
    r"truly| super| kind of)*"
    r" (?:an? )?(?:great|good|nice|lovely|amazing|awesome|fun|hard|tough|easy|difficult|cool|wonderful|"
    r"incredible|important|worth|rain\w*|snow\w*|cold|hot|warm|late|early|time|like|that|to|my|"
    r"about|when|what|"
    r"true|sad|weird|funny|okay|ok|fine|bad|terrible|awful|rough|exciting|inspiring|relaxing|best|"
    r"depends|took|takes|turns|turned|helps|helped|means|meant|makes|made|gives|gave|reminds|"
    r"reminded|keeps|kept|"
    r"happened|brings|brought|\w+ing|\w+ful|\w+ible)\b",
    re.IGNORECASE,
)
# What is said of a thing that has no name, and hardly of anything else.
_OF_A_THING = re.compile(
    r"(?:'s| is| was) (?:in|on|at|under|behind|from|next to|near|by|opposite|across|"
    r"moored|kept|stored|due|called|named|made|red|blue|green|black|white|yellow|"
    r"grey|brown|silver|pink|old|new|broken|parked|\d)\b| (?:has|needs|runs|costs?|belongs|belonged|weighs|"
    r"expires|holds|opens|closes|broke|only|came with|smells|leaks|arrived)\b",
    re.IGNORECASE,
)
# What a thing does that was spoken of first: "it jams".
_DOES = re.compile(
    r" (?:always |never |only |still |often |sometimes )?(?!is\b|was\b|has\b)[a-z]{2,}[^s\W]s\b"
)


@dataclass(slots=True)
class _Referent:
    mention: Mention
    owner: str | None  # whose "my" it is; None: a name, which needs no owner
    gender: str
    sentence: int  # where it was last spoken of


@dataclass(slots=True)
class Talk:
    """What the last turns have named. Feed it every sentence with `hear`, in order."""

    referents: list[_Referent] = field(default_factory=list)
    sentence: int = 0

    def hear(self, text: str, speaker: str = "", listener: str | None = None) -> None:
        """Takes in what a sentence names.

        Args:
            text: one sentence.
            speaker: whose "my" it is; any string that tells the speakers apart.
            listener: whose "your" it is; None: nobody's in particular.
        """
        naming = _THEN_CALLED.search(text)
        if naming:
            self.hear(text[: naming.start()], speaker, listener)
            text = text[naming.end() :]
        self.sentence += 1
        if self._named(text) or self._called(text):
            return
        for mention in (*pairs_in(text[:_READ_CHARS]), *mentions(text[:_READ_CHARS])):
            owner = {"my": speaker, "our": speaker, "your": listener}.get(mention.determiner)
            if (mention.determiner == "your" and listener is None) or mention.determiner in (
                "his",
                "her",
                "their",
            ):
                continue
            if mention.label.casefold() in (speaker.casefold(), (listener or "").casefold()):
                continue
            self._add(_Referent(mention, owner, mention.gender, self.sentence))

    def _called(self, text: str) -> bool:
        """ "She's called the Salty Heron" names what was just spoken of; whether the sentence does that."""
        match = _IS_CALLED.match(text.rstrip(" .!;,"))
        if match is None or any(word in NOT_A_NAME for word in match["name"].lower().split()[1:]):
            return False
        gender = match["whose"].lower()
        last = [each for each in self.referents if each.sentence == self.sentence - 1]
        found = self._of(gender, "") or (last[0] if len(last) == 1 else None)
        if found is None or found.mention.label[:1].isupper():
            return False
        label = title_names(match["name"], every_word=True)
        label = label.replace("The ", "the ", 1) if label.startswith("The ") else label
        self.referents.remove(found)
        named = replace(found.mention, label=label, determiner="", kind=PET if gender != "it" else THING)
        self._add(_Referent(named, None, gender if gender in ("he", "she") else "", self.sentence))
        return True

    def _named(self, text: str) -> bool:
        """ "His name is Pavel" names who was spoken of; whether the sentence does that."""
        match = _NAMES.match(text.rstrip(" .!;,"))
        found = self._of(_CLASS[match["whose"].lower()], "") if match else None
        if match is None or found is None or not is_name(match["name"], text == text.lower()):
            return False
        name = title_names(match["name"], every_word=True)
        gender = found.gender or {"his": "he", "her": "she"}.get(match["whose"].lower(), "")
        label = (
            f"{found.mention.label} {name}"
            if found.mention.determiner or "'s " in found.mention.label
            else name
        )
        self.referents.remove(found)
        self._add(_Referent(replace(found.mention, label=label), found.owner, gender, self.sentence))
        return True

    def _add(self, new: _Referent) -> None:
        label = new.mention.label.casefold()
        for old in self.referents:
            if old.mention.label.casefold() == label and old.owner == new.owner:
                new.gender = new.gender or old.gender
                if new.mention.kind in (NAME, RIVAL) and old.mention.kind != RIVAL:
                    new.mention = old.mention
                self.referents.remove(old)
                break
        self.referents = [*self.referents, new][-_MOST_KEPT:]

    def resolved(self, text: str, speaker: str = "") -> str:
        """The text with the pronoun that begins it put into words, where it is sure whom it means."""
        match = _PRONOUN.match(text)
        if match is None:
            return self._with_object(text, speaker)
        word = match["word"].lower()
        if match["rank"] or match["only"]:
            name = self._member((match["rank"] or match["only"]).lower())
        elif (
            word in ("it", "its") and word == "it" and _NO_THING.match((match["short"] or "") + match["rest"])
        ):
            return text
        else:
            name = self._referred(_CLASS.get(word, word), (match["short"] or "") + match["rest"], speaker)
        if not name:
            return self._with_object(text, speaker) if word == "they" else text
        if word in _POSSESSIVE:
            name += "'" if name.endswith("s") and word == "their" else "'s"
        name = name[0].upper() + name[1:] if match["word"][0].isupper() else name
        return match["lead"] + name + _written_out(match["short"] or "", match["rest"]) + match["rest"]

    def _with_object(self, text: str, speaker: str) -> str:
        """The text with its only pronoun of the third person put into words: "we keep her in Falmouth"."""
        match = _OBJECT.match(text)
        they = match is not None and re.match(r"they\b", without_lead(text), re.IGNORECASE) is not None
        if match is None or len(_THIRD.findall(text)) != 1 + they:
            return text
        name = self._referred(_SUBJECTS[match["word"].lower()], "", speaker)
        return text if not name else f"{match['lead']}{name}{text[match.end('word') :]}"

    def opens_unresolved(self, text: str, speaker: str = "") -> bool:
        """Whether a text begins with a pronoun of the third person that nothing resolves."""
        return _PRONOUN.match(text) is not None and self.resolved(text, speaker) == text

    def _member(self, rank: str) -> str | None:
        groups = [each for each in self.referents if each.mention.one and self.sentence - each.sentence < 5]
        if not groups:
            return None
        group = groups[-1].mention
        if not group.members or rank not in _RANKS:  # "two spare keys"; which is the elder is not said
            return f"the {rank} {group.one}"
        members, place = group.members, _RANKS[rank]
        if place >= len(members) or (rank == "other" and len(members) != 2):
            return None
        return members[place]

    def _referred(self, pronoun: str, rest: str, speaker: str) -> str | None:
        referent = self._of(pronoun, rest)
        if referent is None:
            return None
        name = _rendered(referent, speaker)
        if name and pronoun in ("he", "she"):
            referent.gender = pronoun
        if name:
            referent.sentence = self.sentence + 1
        return name

    def _of(self, pronoun: str, rest: str) -> _Referent | None:
        """Whom a pronoun means, where only one can be meant."""
        fitting = [each for each in self.referents if self._fits(each, pronoun, rest)]
        if not fitting:
            return None
        nearest = max(each.sentence for each in fitting)
        fitting = [each for each in fitting if each.sentence == nearest]
        if len(fitting) > 1:  # the one that is known to be a "she", if the sentence is about her
            first = min(fitting, key=lambda each: each.mention.place)
            known = [each for each in fitting if each.gender == pronoun or each.mention.plural]
            fitting = known if known == [first] else []
        fitting = [each for each in fitting if each.mention.kind != RIVAL]
        if len(fitting) != 1 or (pronoun == "it" and self._has_rival_thing(fitting[0])):
            return None
        return fitting[0]

    def _fits(self, referent: _Referent, pronoun: str, rest: str) -> bool:
        mention = referent.mention
        if self.sentence + 1 - referent.sentence > _REACH[mention.kind] or mention.kind == COUNTED:
            return False
        if pronoun == "they" and re.match(r" (?:name|birthday)\b", rest):
            return False  # one of unknown gender
        if pronoun == "they":
            return mention.plural or (mention.kind == PLACE and bool(mention.label[:1].isupper()))
        if mention.plural or mention.kind == RIVAL:
            return mention.kind == RIVAL and pronoun in ("he", "she")
        if pronoun == "it":
            animal = mention.kind == PET and not referent.gender
            named = _has_a_name(mention)
            thing = mention.kind in (THING, PLACE)
            topic = mention.place == 0 and mention.determiner in ("my", "our") and bool(_DOES.match(rest))
            return animal or (thing and (named or topic or bool(_OF_A_THING.match(rest))))
        return (mention.kind in (PERSON, PET, NAME) and referent.gender in ("", pronoun)) or (
            mention.kind == THING and referent.gender == pronoun
        )

    def _has_rival_thing(self, chosen: _Referent) -> bool:
        """Whether the same sentence names another thing that "it" could be."""
        return any(
            each is not chosen
            and each.sentence == chosen.sentence
            and each.mention.kind in (THING, PLACE, PET)
            for each in self.referents
        ) and not _has_a_name(chosen.mention)


def _has_a_name(mention: Mention) -> bool:
    return bool(mention.label.removeprefix("the ")[:1].isupper())


def _rendered(referent: _Referent, speaker: str) -> str | None:
    """The words for a referent as the speaker would say them; None where they would mislead."""
    mention = referent.mention
    if not mention.determiner:
        return mention.label
    if mention.determiner in ("my", "our", "your"):
        if referent.owner == speaker:
            return f"{'our' if mention.determiner == 'our' else 'my'} {mention.label}"
        return f"{referent.owner}'s {mention.label}" if referent.owner else None
    return f"the {mention.label}"


def _written_out(short: str, rest: str) -> str:
    """A contraction in full: "she's" → "… is", "they've" → "… have"."""
    ending = short.removeprefix("'").lower()
    if ending == "s":
        return " has" if _HAS_AFTER.match(rest) else " is"
    return {"re": " are", "ve": " have", "ll": " will", "d": "'d"}.get(ending, "")
