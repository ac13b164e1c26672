"""Whether words are English: what the networks cannot read is kept, and is read by no network.

No guess at the language. Letters other than Latin ones are none of English; else the words decide: the little
words of the languages that are spoken most beside it, and lower-case words that English talk does not have.
Names and what else has a capital say nothing either way.
"""

from __future__ import annotations

import re
import unicodedata

from ..cached import of_texts
from ..text import STOP_WORDS, is_in_table, normalize

__all__ = ["is_foreign"]

READ = 400  # characters
TELLING = 2  # what a little word of another language counts; a word that is not known: 1
LITTLE = (
    frozenset(
        """
    ich du wir ihr und ist bist sind habe haben mein meine meinen meinem meiner dein der das dem des ein eine
    einen einem einer nicht kein keine mit für auf zu im am heißt als auch aus bei seit wohne arbeite
    je tu il nous vous est suis mes une les le du et avec sur que qui ne pas habite travaille
    el las una es soy está estoy mi mis se de en por mío mía del vivo trabajo gusta como
    io gli è sono che della nel per si lavoro
    eu um uma é sou meu minha do não na ao moro trabalho gosto
    ik het een mijn niet voor heb woon werk
    jag är mitt mina och ett att inte på
    jestem mam nie się mój moja jest
    benim bir ve çok için değil
    """.split()
    )
    - STOP_WORDS
)
"""Words that English talk does not have, or hardly: "hat", "van" and "met" would be little words, too."""
# of "j'habite" the second
_WORD = re.compile(r"(?:\b[jldcnms]['’])?([^\W\d_]+(?:['’][^\W\d_]+)*)", re.IGNORECASE)


@of_texts(2_048)
def is_foreign(text: str) -> bool:
    """Whether a text is hardly English.

    >>> [is_foreign(text) for text in ("Я работаю медсестрой.", "Ich wohne in Berlin.", "Zofia likes figs.")]
    [True, True, False]
    """
    english = foreign = 0
    for word in _WORD.findall(text[:READ]):
        bare = normalize(word)
        if not _is_latin(word) or bare in LITTLE:
            foreign += TELLING
        elif bare in STOP_WORDS or is_in_table(bare):
            english += 1
        elif not word[0].isupper():
            foreign += 1
    return foreign > english


def _is_latin(word: str) -> bool:
    return word.isascii() or unicodedata.name(word[0], "").startswith("LATIN")
