"""Chats with an assistant: what tells there which of a person's messages is asked for.

In such a chat a person's messages are long, often with a document or code in them, and each has an answer
that says its matter once more, in other words and at length. Two things tell more there than in talk between
people: what the answer means, and how many telling words of the question a whole message has for its length
(BM25: Robertson & Zaragoza 2009). Both count the same for what was told in the same bank outside of chats:
the answer beside what answers have on the mean, so that having none is neither good nor bad; the words for
all that people say, as far as the bank is a chat.

Axes: M passages in order of time, R rows in use, N memories, S content words of the question.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .bank import SlotBank
from .linear import matmul
from .marks import ASSISTANT
from .order import Order

__all__ = ["Chat", "chat_of", "told_in_chat"]

Array = np.ndarray[Any, Any]

K1, B = 1.2, 0.75  # BM25's; a word counts once for a memory


class Chat(NamedTuple):
    """The memories of a bank in which an assistant speaks."""

    of: Array  # [M] which memory each passage belongs to, from 0
    passage: Array  # [N] first passage of each
    row: Array  # [N] where in the order's rows each begins
    slots: Array  # [N] float32
    person: Array  # [N] whether it is said by no assistant
    answered: Array  # [N] whether an assistant's answer comes next, in one session
    density: Array  # [N] float32: what a word counts for, less in a message longer than others
    share: float  # of what people say, that which is answered by an assistant


def chat_of(bank: SlotBank, order: Order, speaker: Array) -> Chat | None:
    """The chats of a bank; None where no assistant answers.

    Args:
        speaker: [M] marks of who says each passage.
    """
    if not (speaker == ASSISTANT).any():
        return None
    passage = np.flatnonzero(np.diff(order.memory, prepend=0))
    person = speaker[passage] != ASSISTANT
    answered = person & np.append(~person[1:] & order.near[passage[1:]], False)
    if not answered.any():
        return None
    row = order.first[passage]
    [marks] = bank.columns(("marks",), order.rows)
    length = np.add.reduceat((marks != 0).sum(axis=1), row)
    longer = length / max(float(length[person].mean()), 1.0)
    return Chat(
        of=order.memory - 1,
        passage=passage,
        row=row,
        slots=np.diff(np.append(row, len(order.rows))).astype(np.float32),
        person=person,
        answered=answered,
        density=((K1 + 1) / (1 + K1 * (1 - B + B * longer))).astype(np.float32),
        share=float(answered.sum() / person.sum()),
    )


def told_in_chat(chat: Chat, similar: Array, held: Array) -> dict[str, Array]:
    """Evidence of the memory that each passage belongs to: each [M].

    Args:
        similar: [R] cosines of the question with the keys of all rows. held: [S, M] which passages hold
            which of its content words.
    """
    mean = np.add.reduceat(similar, chat.row) / chat.slots
    answer = np.append(mean[1:], np.float32(0))
    answer = (answer - answer[chat.answered].mean()) * chat.answered
    words = np.zeros(len(mean), dtype=np.float32)
    if len(held):
        has = np.logical_or.reduceat(held, chat.passage, axis=1)
        count, holding = int(chat.person.sum()), has[:, chat.person].sum(axis=1)
        weights = np.log(1 + (count - holding + 0.5) / (holding + 0.5)).astype(np.float32)
        words = matmul(weights, has.astype(np.float32)) * chat.density * chat.person * np.float32(chat.share)
    return {"answered": answer[chat.of], "chat words": words[chat.of]}
