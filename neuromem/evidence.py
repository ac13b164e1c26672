"""What speaks for each memory when a question is asked: some kinds of evidence, weighed and added.

Meaning is the cosine of a question with a memory's key, and with the key of the talk around it;
words are the share of the question's telling words (by their inverse document frequency in this bank) that a
memory holds, or the talk around it; then who said it, when, and whether it can be an answer of the kind
asked for. All of it comes from the bank's buffers; nothing is read from the log and no text is decoded.
Some kinds are also weighed two together, as products: what has the meaning *and* the words adds less by the
second, while a long question's words tell more than the one word of a short one.

Neighbours in time are context only as far as they talk of the same thing: the link of two successive
memories of one session grows with the cosine of their keys, from what strangers have with this encoder
(`strangers.py`). A diary of unrelated facts has no links, and a list of facts that are all alike has few:
what one speaker says in a row, no question before it, has to be nearer than a reply has.

What is weighed is a passage (`order.py`): a memory, or a part of a long one. A memory is as good an answer
as the best of its passages.

Axes: T rows of the bank, R rows in use, M passages in order of time, C candidates, S content words of the
question, F kinds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from .bank import SlotBank
from .chats import chat_of, told_in_chat
from .held import held_by, held_words, phrases_in, share
from .linear import matmul
from .marks import ASKS, ASSISTANT, NAMES, NUMBER, ORDERS, OWN, TIME, any_of
from .news import newer_first, newer_pairs
from .order import Order, order_of
from .question import Question
from .senses import nearest_words

__all__ = ["KINDS", "WEIGHTS", "Evidence", "gather", "speakers_of"]

Array = np.ndarray[Any, Any]

ABOVE = 1e-3  # by how much, in score, a memory stands above the one it is put before
NEAR = 0.5  # cosine from which on more meaning does not make words count less
MANY = 8  # content words of a question from which on more of them are no better sign
LIST = (5 / 6, 3.0)  # where between unlike (0) and alike (1) links begin and are whole in what may be a list
WHOLE = 0.4  # a link from which on the words of a neighbour count as context

WEIGHTS: dict[str, float] = {
    "meaning": 1.0,  # cosine with the memory's own key: its best part
    "context": 0.75,  # … with the sum of its key and its neighbours'
    "words": 0.06,  # where words have senses: of a memory by itself, share of the telling words that it holds
    "words before": 0.15,  # of one in the midst of talk: share that it holds together with the one before
    "words around": 0.2,  # … with two before and two after
    "senses": 0.33,  # share of the telling words with a word of like meaning in it
    "senses before": 0.53,  # … in it, or in the one before: an answer leans on what it answers
    "phrase": 0.05,  # two content words in a row as in the question; at most three of these
    "speaker": 0.32,  # said by the one who is named
    "assistant": -0.86,  # said by an assistant, and it is not asked what an assistant said
    "orders": 0.62,  # tells an assistant what to do whenever that comes up
    "subject": 0.07,  # about somebody or something that is named
    "own": 0.1,  # where words have no senses: told by the owner of themselves, who ask about themselves
    "slot": 0.25,  # its gist fills the slot that is asked for
    "date": 0.67,  # told about the time that is named
    "time": 0.29,  # a when-question, and it has a time word
    "names": 0.03,  # a who-, where- or which-question: names in it, at most three
    "number": 0.03,  # a how-many-question, and it has a number
    "asks": -0.14,  # ends as a question itself
    "answers": 0.31,  # share of the telling words in a question just before it
    "least sense": 0.37,  # how near any word comes to the telling word that is farthest from all of them
    "meaning and words": -0.9,  # meaning times words around: what has both is no twice as good
    "context and senses": -1.31,
    "many words": 0.77,  # words around times the content words of the question, eighths of eight at most
    "names and words": 0.14,
    "speaker and meaning": 0.15,
    "answered": 1.7,  # in a chat: cosine with an assistant's answer to it, less the mean of answers
    "chat words": 0.074,  # … nats of the telling words that the whole message has, for its length
}
"""Fitted on development sets only, by `training/tune_recall.py`; in units of one cosine. The last two were
fitted in chats alone, with all others as they were (`training/LOG.md`, 2026-11-30)."""
KINDS = tuple(WEIGHTS)
PROMISE = {"context": 1.08, "words": 0.44, "given": 1.4}
"""Weights of the first pass, beside meaning: of a sum in which no two kinds are weighed together."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the most promising memories."""

    rows: Array  # [C] first row of the best passage of each
    kinds: Array  # [C, F] float32, columns as `KINDS`
    news: Array = field(default_factory=lambda: np.zeros((0, 2), np.int64))  # [P, 2] as `newer_pairs`
    senses: bool = False  # whether words were compared by what they mean

    def scores(self) -> Array:
        """[C] weighed sums over that of a perfect match in meaning and words: about 0 to 1, in chats 1.5."""
        weights = np.array([WEIGHTS[kind] for kind in KINDS], dtype=np.float32)
        return newer_first(matmul(self.kinds, weights) / np.float32(self.perfect), self.news, ABOVE)

    @property
    def perfect(self) -> float:
        """The weight of a perfect match."""
        return PERFECT + PERFECT_SENSES * self.senses

    def parts(self, place: int) -> dict[str, float]:
        """What each kind adds to the score of candidate `place`; kinds that add nothing are left out."""
        return {
            kind: float(value) * WEIGHTS[kind] / self.perfect
            for kind, value in zip(KINDS, self.kinds[place], strict=True)
            if value and WEIGHTS[kind]
        }


PERFECT = sum(WEIGHTS[kind] for kind in ("meaning", "context", "words before", "words around"))
PERFECT_SENSES = 0.5
"""What senses add to it: so the best scores for the development pairs are, at the median, what they were when
no two kinds were weighed together."""


def speakers_of(bank: SlotBank) -> set[int]:
    """Marks of the names of those who speak in a bank; without the owner and assistants."""

    def speakers() -> set[int]:
        return set(np.unique(bank.speaker[bank.used].cpu().numpy()).tolist()) - {0, ASSISTANT}

    return bank.kept("speakers", speakers)


def gather(bank: SlotBank, question: Question, most: int) -> Evidence:
    """The evidence for the memories of the `most` passages for which there is most; all are looked at.

    Two passes: over all passages, taking neighbours of a session for context as they are; then over the
    best, with the links between them.
    """
    order = order_of(bank)
    if not len(order.first):
        return Evidence(np.zeros(0, dtype=np.int64), np.zeros((0, len(KINDS)), dtype=np.float32))
    similar = bank.similarities(question.vector).numpy()[order.rows]
    meaning = order.joined(np.maximum, similar)
    words = bank.kept("words", lambda: held_words(bank, order))
    places = {mark: np.flatnonzero(words.marks == mark) for mark in question.marks}
    held, weights = held_by(words, places, len(order.first))
    given = _given(bank, question, order)
    given["phrase"] = phrases_in(words, question, places, len(order.first))
    best = _promising(meaning, held, weights, given, order, most)
    links, context = _links(bank, question, order, best)
    near = _with_context(meaning, held, weights, links, best, given)
    near["context"] = context
    near |= _chatted(bank, question, order, similar, held, best)
    if len(question.senses):
        near |= _senses(bank, question, order, weights, links, best)
        near |= _together(near, len(weights))  # other encoders' cosines are spread otherwise
    else:
        del near["words"]  # what their keys know of words does better without
    columns = [near[kind] if kind in near else np.zeros(len(best), np.float32) for kind in KINDS]
    kinds = np.stack(columns, axis=1).astype(np.float32)
    found = Evidence(order.rows[order.first[best]], kinds, senses=len(question.senses) > 0)
    chosen = _best_of_each(found, order.memory[best])
    found = replace(found, rows=found.rows[chosen], kinds=found.kinds[chosen])
    if not question.value:
        return found
    best, traits = best[chosen], _told(bank, order).any_part
    pairs = newer_pairs(bank, found.rows, traits[best], held[:, best], question.alike[1])
    return replace(found, news=pairs)


def _best_of_each(found: Evidence, memory: Array) -> Array:
    """Places of the best passage of each memory.

    Args:
        memory: [C] number of the memory that each belongs to, rising.
    """
    if len(memory) == len(set(memory.tolist())):
        return np.arange(len(memory))
    by = np.lexsort((-found.scores(), memory))
    chosen: Array = by[np.append(True, np.diff(memory[by]) > 0)]
    return chosen


def _promising(
    meaning: Array, held: Array, weights: Array, given: dict[str, Array], order: Order, most: int
) -> Array:
    """The `most` passages that promise most, neighbours in a session taken for context as they are."""
    count = len(meaning)
    if count <= most:
        return np.arange(count)
    link = order.near.astype(np.float32)
    following = np.append(link[1:], np.float32(0))
    three = meaning.copy()
    three[1:] += link[1:] * meaning[:-1]
    three[:-1] += following[:-1] * meaning[1:]
    around = held.copy()
    around[:, 1:] |= held[:, :-1] & order.near[1:]
    around[:, :-1] |= held[:, 1:] & order.near[1:]
    total = meaning + PROMISE["context"] * three / (1 + link + following)
    total += PROMISE["words"] * share(weights, around)
    for kind, values in given.items():
        total += PROMISE["given"] * WEIGHTS[kind] * values
    return np.sort(np.argpartition(-total, most)[:most])


# -- what each passage is, and the talk around it ----------------------------------------------------


class Told(NamedTuple):
    """What the bank keeps of each passage: each [M]."""

    asks: Array
    orders: Array
    any_part: Array  # traits of any of its slots
    names: Array
    speaker: Array
    subject: Array
    slot: Array
    assistant: Array


def _told(bank: SlotBank, order: Order) -> Told:
    def told() -> Told:
        [traits] = bank.columns(("traits",), order.rows)
        last = traits[np.append(order.first[1:], len(traits)) - 1]
        speaker, subject, slot = bank.columns(("speaker", "subject", "slot"), order.rows[order.first])
        return Told(
            asks=(last & ASKS).astype(np.float32),
            orders=((traits[order.first] & ORDERS) > 0).astype(np.float32),
            any_part=order.joined(np.bitwise_or, traits),
            names=order.joined(np.maximum, traits // NAMES & 3).astype(np.float32),
            speaker=speaker,
            subject=subject,
            slot=slot,
            assistant=(speaker == ASSISTANT).astype(np.float32),
        )

    return bank.kept("told", told)


def _given(bank: SlotBank, question: Question, order: Order) -> dict[str, Array]:
    """Evidence of a passage by itself, but for its meaning and words: each [M]."""
    told = _told(bank, order)
    out = {"asks": told.asks, "orders": told.orders * (1 - told.assistant)}
    if question.named:
        out["speaker"] = (told.speaker == question.named).astype(np.float32)
    if not question.asks_assistant:
        out["assistant"] = told.assistant
    if question.words:
        out["subject"] = any_of(told.subject, question.words)
    if question.own and not len(question.senses):
        out["own"] = (told.subject == OWN).astype(np.float32)
    if question.slots:
        out["slot"] = any_of(told.slot, question.slots)
    if question.times:
        out["date"] = np.max([_nearness(order.time, *time) for time in question.times], axis=0)
    if question.wants & TIME:
        out["time"] = ((told.any_part & TIME) > 0).astype(np.float32)
    if question.wants & NAMES:
        out["names"] = told.names
    if question.wants & NUMBER:
        out["number"] = ((told.any_part & NUMBER) > 0).astype(np.float32)
    return out


def _chatted(
    bank: SlotBank, question: Question, order: Order, similar: Array, held: Array, at: Array
) -> dict[str, Array]:
    """Evidence of passages `at` [C] in chats with an assistant, unless it is asked what that said."""
    if question.asks_assistant:
        return {}
    told = _told(bank, order)
    chat = bank.kept("chats", lambda: chat_of(bank, order, told.speaker))
    return {kind: values[at] for kind, values in told_in_chat(chat, similar, held).items()} if chat else {}


def _nearness(time: Array, start: float, end: float, decay: float) -> Array:
    """1 for what was told in a stretch of time, falling off outside it."""
    outside = np.maximum(0, np.maximum(start - time, time - end))
    near: Array = np.exp(-outside / decay).astype(np.float32)
    return near


def _with_context(
    meaning: Array, held: Array, weights: Array, link: Array, at: Array, given: dict[str, Array]
) -> dict[str, Array]:
    """Evidence of passages `at` [C] with the words of their neighbours.

    Args:
        link: [M] of each passage with the one before it, 0 to 1.
    """
    whole = link >= WHOLE
    before, after = _moved(held, whole, at, 1), _moved(held, whole, at, -1)
    own = held[:, at]
    two = own | before | after | _moved(held, whole, at, 2) | _moved(held, whole, at, -2)
    earlier = np.maximum(at - 1, 0)
    asked = given["asks"][earlier] * (link[at] > 0)
    in_talk = np.maximum(link[at], np.append(link, np.float32(0))[at + 1])
    return {
        "meaning": meaning[at],
        "words": share(weights, own) * (1 - in_talk),
        "words before": share(weights, own | before) * in_talk,
        "words around": share(weights, two) * in_talk,
        "answers": share(weights, held[:, earlier]) * asked,
    } | {kind: values[at] for kind, values in given.items()}


def _moved(held: Array, whole: Array, at: Array, by: int) -> Array:
    """[S, C] what the passage `by` places before (below 0: after) each of `at` holds, if linked."""
    there = at - by
    inside = (there >= 0) & (there < held.shape[1])
    steps = range(by) if by > 0 else range(1, 1 - by)
    for step in steps:
        place = at - step if by > 0 else at + step
        inside &= whole[np.clip(place, 0, len(whole) - 1)]
    out: Array = held[:, np.clip(there, 0, held.shape[1] - 1)] & inside
    return out


def _links(bank: SlotBank, question: Question, order: Order, at: Array) -> tuple[Array, Array]:
    """Links around candidates [M] (0 where not looked at), and their cosines with key and neighbours [C]."""
    count = len(order.first)
    wanted = np.zeros(count, dtype=bool)
    wanted[np.clip(at[:, None] + np.arange(-2, 3), 0, count - 1)] = True
    around = np.flatnonzero(wanted)
    keys = _unit_keys(bank, order, around)
    links, (unlike, like) = np.zeros(count, dtype=np.float32), question.alike
    follows = np.flatnonzero(np.diff(around) == 1)
    beside = np.einsum("ij,ij->i", keys[:-1], keys[1:])
    later = around[follows + 1]
    alike = (beside[follows] - unlike) / (like - unlike)
    told = _told(bank, order)
    in_a_row = (told.speaker[later] == told.speaker[later - 1]) & (told.asks[later - 1] == 0)
    alike = np.where(in_a_row, (alike - LIST[0]) / (LIST[1] - LIST[0]), alike)
    links[later] = np.clip(alike, 0, 1) * order.near[later]
    here = np.searchsorted(around, at)
    before, after = np.maximum(here - 1, 0), np.minimum(here + 1, len(around) - 1)
    link, following = links[at], np.append(links, np.float32(0))[at + 1]
    asked = matmul(keys, question.vector.numpy())
    apart = np.einsum("ij,ij->i", keys[before], keys[after])
    # |key + link · before + following · after|², all three of unit length
    square = 1 + link**2 + following**2 + 2 * link * following * apart
    none = np.float32(0)
    square += 2 * (link * np.append(none, beside)[here] + following * np.append(beside, none)[here])
    context = asked[here] + link * asked[before] + following * asked[after]
    return links, context / np.sqrt(np.maximum(square, 1e-9))


def _unit_keys(bank: SlotBank, order: Order, passages: Array) -> Array:
    """[B, K] mean of the keys of the slots of passages, of unit length."""
    slots, start = order.rows_of(passages)
    rows = torch.from_numpy(slots)
    keys = bank.key[rows].float().mul_(bank.inverse_norm[rows][:, None]).cpu().numpy()
    if len(keys) > len(passages):
        keys = np.add.reduceat(keys, start)
        keys /= np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), math.ulp(1.0))
    out: Array = keys
    return out


def _senses(
    bank: SlotBank, question: Question, order: Order, weights: Array, link: Array, at: Array
) -> dict[str, Array]:
    """How near the question's words are to words of passages `at`, their own and those before: each [C].

    Args:
        weights: [S] of the question's words, together 1. link: [M] as `_with_context` has it.
    """
    leans = link[at] >= WHOLE
    wanted = np.zeros(len(link), dtype=bool)
    wanted[at] = True
    wanted[at[leans] - 1] = True
    around = np.flatnonzero(wanted)
    slots, start = order.rows_of(around)
    owner = np.repeat(np.arange(len(around)), np.diff(np.append(start, len(slots))))
    codes = bank.senses[torch.from_numpy(slots)].cpu().numpy()
    near = nearest_words(codes, owner, len(around), question.senses)
    here = np.searchsorted(around, at)
    own = near[here]
    before = near[np.maximum(here - 1, 0)] * leans[:, None]
    return {
        "senses": matmul(own, weights),
        "senses before": matmul(np.maximum(own, before), weights),
        "least sense": own.min(axis=1),
    }


def _together(near: dict[str, Array], count: int) -> dict[str, Array]:
    """Kinds weighed together; of facts that are all near to the question, words still tell one from another.

    Args:
        near: kinds of evidence, each [C]. count: content words of the question.
    """
    meaning, context = (np.minimum(near[kind], NEAR) for kind in ("meaning", "context"))
    pairs = (
        ("meaning and words", meaning, near["words around"]),
        ("context and senses", context, near["senses"]),
        ("many words", np.float32(min(count, MANY) / MANY), near["words around"]),
        ("names and words", near.get("names"), near["words around"]),
        ("speaker and meaning", near.get("speaker"), meaning),
    )
    return {name: one * other for name, one, other in pairs if one is not None}
