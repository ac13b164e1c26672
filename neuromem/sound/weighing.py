"""How much each record of a log matters, by what the memory knows of it: the class in which it travels.

===============  =====================================================================================
critical         newest words of the essentials (`conscious`) and of what is pinned; what was replaced,
                 deleted or merged (else what is over would be taken for what holds)
reliable         newest words of every other fact that holds now
standard         words that made no fact, facts that were forgotten, kinds of record that are not known
high-density     facts that were replaced or deleted, older words of those that hold, and when things were
                 recalled, refreshed or rebuilt; the last of these are `ultrasonic` where that is asked for
===============  =====================================================================================

Control is what holds the message together: its directory, whose memory it is, the records' commitments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..conscious import essentials
from ..history import WRITING
from ..tell import is_immutable
from .modem.importance import Importance

if TYPE_CHECKING:
    from ..bank import SlotBank
    from ..engine import Engine
    from ..fold import Fold
    from ..log import Record

__all__ = ["weigh"]

FACTS = (*WRITING, "slots")  # kinds that hold the words of a memory
ENDING = ("supersede", "follow", "delete", "merge")
KEEPING = ("rehearse", "refresh", "sleep", "restore", "rebuild")


def weigh(engine: Engine, fold: Fold, ultrasonic: bool = False) -> list[Importance]:
    """The class of every record of an owner, in order.

    Args:
        ultrasonic: the line has that band, so what may be lost without regret goes there.
    """
    records = list(engine.log.events(fold.owner))
    whose = {record.seq: str(record.body.get("id")) for record in records if record.kind in FACTS}
    gone = {str(record.body.get("id")) for record in records if record.kind == "delete"}
    for record in records:
        if record.kind == "merge":  # the words that it keeps may have been told of another memory
            whose[int(record.body.get("words", -1))] = str(record.body.get("id"))
            gone |= set(map(str, record.body.get("ids", ())))
    newest = {id_: seq for seq, id_ in whose.items()}
    most = engine.config.context.essentials
    first = {hit.id for hit in essentials(fold.bank, most, engine.now_ms())}
    least = Importance.ULTRASONIC if ultrasonic else Importance.HIGH_DENSITY
    out = []
    for record in records:
        if record.kind in FACTS:
            id_ = whose[record.seq]
            old = newest[id_] != record.seq
            out.append(_of_fact(id_, record, fold.bank, id_ in first, old, id_ in gone))
        elif record.kind in ENDING:
            out.append(Importance.CRITICAL)
        else:
            out.append(least if record.kind in KEEPING else Importance.STANDARD)
    return out


def _of_fact(id_: str, record: Record, bank: SlotBank, first: bool, old: bool, gone: bool) -> Importance:
    """The class of a record with a memory's words; `old`: they were heard anew, `first`: it is essential."""
    held = bool(bank.rows_of(id_))
    if old or (gone and not held) or (held and bank.ended(id_)[0]):
        return Importance.HIGH_DENSITY
    if not held:
        return Importance.STANDARD
    pinned = record.body.get("pinned") or is_immutable(record.body.get("metadata") or {})
    return Importance.CRITICAL if first or pinned else Importance.RELIABLE
