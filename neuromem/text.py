"""Words: normalization, sentences, cutting to fit, stems, and how rare each is in everyday talk.

Nothing here alters words that are stored: `normalize` and `words` make keys to compare by.
Lower-case, unpunctuated text of a speech recognizer is first-class everywhere.
"""

from __future__ import annotations

import functools
import gzip
import itertools
import re
import unicodedata
from importlib import resources

from .cached import of_texts
from .errors import InvalidInput

__all__ = [
    "STOP_WORDS",
    "content_words",
    "idf",
    "is_heard",
    "is_in_table",
    "is_listed_name",
    "is_name_like",
    "normalize",
    "sentences",
    "split_to_fit",
    "stem",
    "stems",
    "utf8_len",
    "words",
]

MAX_IDF_LEVEL = 64  # the table holds levels below it; an unknown stem has this one
IDF_STEP = 0.25  # nats per level of the table

_FOLDS = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "′": "'", "`": "'", "´": "'"}
    | {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"'}
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"…": "...", "\u00ad": "", "\u200b": "", "\ufeff": ""}
)

STOP_WORDS = frozenset(
    """
    a about above after again ain't all also am an and any anymore are aren't arent as at be because been
    before being below between both but by can can't cannot cant could couldn't couldnt did didn't didnt do
    does doesn't doesnt doing don't dont down during each either else ever every few for from further get
    gets getting got had hadn't hadnt has hasn't hasnt have haven't havent having he he'd he'll he's hed
    her here here's hers herself hes him himself his how how's i i'd i'll i'm i've if im in into is isn't
    isnt it it'd it'll it's its itself ive just let let's lets ll me more most my myself no nor not now
    of off oh ok okay on once only or other our ours ourselves out over own please quite rather really same
    shall she she'd she'll she's shes should shouldn't shouldnt so some such than that that'd that's thats
    the their theirs them themselves then there there's theres these they they'd they'll they're they've
    theyre theyve this those through to too um uh under until up us ve very was wasn't wasnt we we'd we'll
    we're we've were weren't werent weve what what's whats when when's where where's wheres which while who
    who's whom whos whose why why's will with won't wont would wouldn't wouldnt yeah yes you you'd you'll
    you're you've your youre yours yourself yourselves youve
    """.split()
)

# Scripts written without spaces: a word there is a pair of neighbouring characters.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
_UNSPACED += "\uf900-\ufaff\U00020000-\U0003ffff"

_TOKEN = re.compile(
    rf"""
      (?P<url>   (?:https?://|www\.)[^\s<>"]+ )
    | (?P<email> [\w.+%-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,8}} )
    | (?P<phone> (?=[+(]?(?:\d[ .\-/()]{{0,2}}){{7}})\+?\(?\d{{2,5}}\)?(?:[ .\-/]\d{{2,5}}){{2,5}}
                 (?![\w-])
               | (?:\+\d|0\d)\d{{2,4}}[ \-]\d{{5,8}}(?!\w) )
    | (?P<code>  [^\W_]+(?:[-_./:][^\W_]+)*-[^\W_]*\d[^\W_]*(?:[-_./:][^\W_]+)*
              |  [^\W_]*\d[^\W_]*(?:[-_./:,][^\W_]*\d[^\W_]*)+ )
    | (?P<pairs> [{_UNSPACED}]+ )
    | (?P<word>  [^\W_{_UNSPACED}][^\W_{_UNSPACED}\u0300-\u036f]*(?:[\u0300-\u036f\u0900-\u0dff]+[^\W_]*)*
                 (?:'[^\W_]+)* )
    """,
    re.VERBOSE,
)


def utf8_len(text: str) -> int:
    """Length of `text` in UTF-8 bytes; a lone surrogate counts three, as an astray character would."""
    return len(text.encode("utf-8", "surrogatepass"))


def normalize(text: str, casefold: bool = True) -> str:
    """The form that two texts are compared by: NFC, plain quotes and dashes, single spaces.

    Args:
        text: any text.
        casefold: also fold the case.
    """
    text = " ".join(unicodedata.normalize("NFC", text).translate(_FOLDS).split())
    return unicodedata.normalize("NFC", text.casefold()) if casefold else text


_HEARD = re.compile(r"[a-zà-öø-ÿœ\d]+(?:(?: |['-]| '|' )[a-zà-öø-ÿœ\d]+)+'?", re.ASCII)


def is_heard(text: str) -> bool:
    """Whether a text looks like a speech recognizer's: a sentence in small Latin letters, with no sign.

    Bare keywords ("dog name") are typed, not said: without one small word of grammar it is no sentence.
    """
    bare = normalize(text, casefold=False)
    spoken = bare.islower() and _HEARD.fullmatch(bare) is not None
    return spoken and any(word in STOP_WORDS for word in bare.split())


# --- sentences ------------------------------------------------------------------------------------

_TITLES = frozenset(
    "mr mrs ms miss dr prof st sr jr mt ft rev hon gen col capt lt sgt messrs mme mlle".split()
)
_ABBREVIATIONS = frozenset(
    "eg ie vs approx ca cf dept est etc fig inc ltd co corp no nos nr pp vol tel ext ave blvd rd apt jan "
    "feb mar apr "
    "jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun hr "
    "hrs min mins sec lb lbs oz".split()
)
_CLOSERS = "\"'”’»)\\]"
_EMOJI = "\u2190-\u2bff\ufe0f\u200d\U0001f000-\U0001faff"
_END = re.compile(
    rf"[。！？]+[{_CLOSERS}」』]*|[.!?…]+[{_CLOSERS}]*(?:[ \t]*[{_EMOJI}]+)*(?=\s|$)|[\r\n\u2028\u2029]+"
)
_LAST_WORD = re.compile(r"[^\s(\[\"']+$")


def _ends(text: str) -> list[int]:
    """Offsets just after each sentence, white space excluded; the last one is the end of the text."""
    ends = [match.end() for match in _END.finditer(text) if _is_end(text, match)]
    return [*ends, len(text)] if not ends or ends[-1] != len(text) else ends


def _is_end(text: str, match: re.Match[str]) -> bool:
    mark = match.group()[0]
    if mark not in ".…":
        return True
    following = text[match.end() : match.end() + 80].lstrip()[:2].lstrip("\"'“‘«([")
    if match.group().startswith(("..", "…")):
        return not following[:1].islower()  # a pause, not an end, when the talk goes on in lower case
    word = _LAST_WORD.search(text[max(0, match.start() - 40) : match.start()])
    return word is None or not _is_abbreviation(word.group(), following[:1])


def _is_abbreviation(word: str, following: str) -> bool:
    bare = word.replace(".", "").lower()
    if bare in _TITLES or (len(word) == 1 and word.isupper() and word != "I"):
        return True
    if word.isdigit():
        return following.islower()
    dotted = "." in word and bare.isalpha() and all(len(part) <= 2 for part in word.split("."))
    if bare in ("no", "nos"):
        return following.isdigit()
    if dotted or bare in _ABBREVIATIONS:
        return not following.isupper() or bare in ("eg", "ie", "vs", "cf")
    return False


def sentences(text: str) -> list[str]:
    """Cuts a text into sentences, stripped; text without full stops stays whole.

    Abbreviations, initials, decimals, addresses on the web and pauses ("...") do not end one; a line
    break does.
    """
    cuts = [0, *_ends(text)]
    pieces = (text[start:end].strip() for start, end in itertools.pairwise(cuts))
    return [piece for piece in pieces if piece]


# --- cutting to fit -------------------------------------------------------------------------------

_CLAUSE = re.compile(
    r"[,;:—–][\"'”’)]*\s+|\s+(?=(?:and|but|because|so|which|who|then|while|although)\s)|[，、；：]"
)
_SPACE = re.compile(r"\s+")


def split_to_fit(text: str, limit_bytes: int) -> list[str]:
    """Cuts a text into pieces that fit; their concatenation is exactly the text.

    Cuts after a sentence if that leaves a piece of some size, else after a clause, else after a word,
    and only then between two characters (never inside one).

    Args:
        text: any text; an empty one gives no piece.
        limit_bytes: most UTF-8 bytes of one piece, at least 4 (one character).

    Raises:
        InvalidInput: the limit is too small to hold any character.
    """
    if limit_bytes < 4:
        raise InvalidInput("limit_bytes", f"{limit_bytes} cannot hold every character", "give 4 or more")
    pieces = []
    start = 0
    while start < len(text):
        end = _fitting_end(text, start, limit_bytes)
        if end < len(text):
            end = start + _best_cut(text[start : end + 1], end - start)
        pieces.append(text[start:end])
        start = end
    return pieces


def _fitting_end(text: str, start: int, limit_bytes: int) -> int:
    end = start
    size = 0
    while end < len(text):
        size += utf8_len(text[end])
        if size > limit_bytes:
            break
        end += 1
    return end


def _best_cut(window: str, most: int) -> int:
    """Where to end a piece of at most `most` characters; `window` shows one character more."""
    sentence_cuts = [end + _spaces_at(window, end) for end in _ends(window)[:-1]]
    clause_cuts = [match.end() for match in _CLAUSE.finditer(window)]
    word_cuts = [match.end() for match in _SPACE.finditer(window)]
    for cuts, least in ((sentence_cuts, most // 4), (clause_cuts, most // 3), (word_cuts, 0)):
        good = [cut for cut in cuts if least < cut <= most]
        if good:
            return good[-1]
    cut = most
    while cut > 1 and _joins(window[cut - 1], window[cut]):
        cut -= 1
    return cut if cut > 1 else most


def _spaces_at(text: str, index: int) -> int:
    return len(text[index:]) - len(text[index:].lstrip())


def _joins(before: str, after: str) -> bool:
    """Whether two characters are seen as one: an accent, a skin tone, a joined emoji."""
    return (
        before == "\u200d"
        or after in "\u200d\ufe0f"
        or bool(unicodedata.combining(after))
        or ("\U0001f3fb" <= after <= "\U0001f3ff")
    )


# --- words and stems ------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """The words of a text, case-folded, in order.

    A number, code, phone number, e-mail address or URL is one word (phone numbers and amounts without
    their separators). Scripts without spaces give pairs of characters.
    """
    return [word for match in _TOKEN.finditer(normalize(text)) for word in _words_of(match)]


def _words_of(match: re.Match[str]) -> list[str]:
    token = match.group()
    kind = match.lastgroup
    if kind == "pairs":
        return [token[i : i + 2] for i in range(max(1, len(token) - 1))]
    if kind == "phone" and not re.fullmatch(r"\d{4}[-./]\d\d[-./]\d\d", token):
        return [re.sub(r"[^\d+]", "", token)]
    if kind == "code" and re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", token):
        return [token.replace(",", "")]
    return [token.rstrip(".,;:!?)")] if kind == "url" else [token]


def stems(text: str) -> list[str]:
    """The content words of a text, stemmed, in order: no stop words, no possessive endings."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def content_words(text: str) -> list[tuple[str, int, int]]:
    """The content words of a text that is normalized but for its case: stems, and where their words stand."""
    return [
        (stem(word.casefold()), match.start(), match.end())
        for match in _TOKEN.finditer(text)
        for word in _words_of(match)
        if word.casefold() not in STOP_WORDS
    ]


@of_texts(8_192)
def stem(word: str) -> str:
    """Snowball's English stem (Porter 2); what is not all letters stays as it is."""
    from snowballstemmer.english_stemmer import EnglishStemmer

    word = word.removesuffix("'s").removesuffix("'")
    if not (word.isascii() and word.isalpha()):
        return word
    # A stemmer keeps its word in itself, so a shared one would mix the words of two threads.
    stemmed: str = EnglishStemmer().stemWord(word)
    return stemmed


def idf(stem: str) -> float:
    """How telling a stem is: log of sentences per sentence that holds it, in nats.

    Counted over everyday talk; a stem that is not in the table has the highest value (16).
    """
    return _table()[0].get(stem, MAX_IDF_LEVEL) * IDF_STEP


def is_in_table(word: str) -> bool:
    """Whether everyday English talk has a word, names among them."""
    return stem(word) in _table()[0]


def is_name_like(word: str) -> bool:
    """Whether a word is usually written with a capital inside a sentence, or unheard of; letters only."""
    levels, names = _table()
    stemmed = stem(normalize(word))
    return stemmed.replace("-", "").replace("'", "").isalpha() and (stemmed in names or stemmed not in levels)


def is_listed_name(word: str) -> bool:
    """Whether a word is among those that are usually written with a capital inside a sentence.

    >>> is_listed_name("henderson"), is_listed_name("tulip")
    (True, False)
    """
    return stem(normalize(word)) in _table()[1]


@functools.cache
def _table() -> tuple[dict[str, int], frozenset[str]]:
    """Stem → level, and the stems that are names, from the shipped table (see its header)."""
    packed = (resources.files(__package__) / "data" / "words.txt.gz").read_bytes()
    levels: dict[str, int] = {}
    names: set[str] = set()
    for line in gzip.decompress(packed).decode("utf-8").splitlines():
        if line and not line.startswith("#"):
            level, _, members = line.partition(" ")
            found = members.split(" ")
            levels.update(dict.fromkeys(found, int(level.removesuffix("^"))))
            names.update(found if level.endswith("^") else ())
    return levels, frozenset(names)
