"""`neuromem bench recall`: how well facts are found.

Three measures, each run when its input is given:

* ``--corpus C --questions Q``: conversations of LoCoMo or BEAM, told turn by turn, one owner each. Recall@k
  is the share of a question's evidence turns among the first k turns found, averaged over the questions
  that have evidence; MRR and nDCG@10 likewise. Adversarial questions are reported apart.
* ``--pairs R``: facts and questions of one person in one pool; hit@k is whether the fact is in the first k.
  ``--crowd N`` adds N unrelated facts to the same bank and asks again.
* ``--sanity N``: N generated facts of one owner, each asked for by its own words: recall@1 must be 1.

``--misheard`` asks once more as a speech recognizer would have heard the questions: lower case, no
punctuation, one word in ten wrong (see `mishear`). ``--baselines`` ranks the same texts by BM25, by the
encoder's cosine alone, by the sum of both as z-scores, and by the fusion of their ranks, in the same run.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..config import Config, ForgettingConfig, WriteConfig
from ..memory import Memory
from .common import emit, mean, parser, percentiles, progress, read_jsonl, share, stopwatch
from .conversations import (
    Question,
    Rankings,
    measure_conversations,
    read_questions,
    read_turns_of,
    without_names,
)
from .generated import personal_facts
from .mishear import Recognizer, word_error_rate
from .pairs import lost_points, measure_pairs

__all__ = ["main", "sanity", "scores"]

DEPTH = 20  # places of a ranking that are looked at


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if exact cues miss."""
    options = _arguments().parse_args(argv)
    config = Config(
        write=WriteConfig(max_steps=options.steps) if options.steps is not None else WriteConfig(),
        forgetting=ForgettingConfig(decay=options.decay),
    )
    report: dict[str, Any] = {
        "bench": "recall",
        "encoder": options.encoder or "default",
        "decay": options.decay,
    }
    hearings = options.hearings if options.misheard else 0
    with progress("recalling") as step:
        if options.corpus:
            questions = _heard(read_questions(options.questions), hearings, options.word_errors, options.seed)
            turns = read_turns_of(options.corpus, options.conversations)
            if options.one_speaker:
                turns, questions = without_names(turns, questions)
            found = measure_conversations(
                turns, questions, config, options.encoder, options.infer, options.baselines, DEPTH, step
            )
            report |= {"infer": options.infer, "turns": sum(map(len, turns.values())), **_report(found)}
        if options.pairs:
            report |= measure_pairs(
                read_jsonl(options.pairs), config, options.encoder, baselines=options.baselines, step=step,
                crowd=options.crowd, hearings=hearings, rate=options.word_errors, seed=options.seed,
            )  # fmt: skip
        nothing_else = not options.corpus and not options.pairs
        count = options.sanity if options.sanity is not None else 10_000 if nothing_else else 0
        if count:
            report["sanity"] = sanity(count, options.seed, config, options.encoder, step)
    emit(report, options.json)
    return int(report.get("sanity", {}).get("recall@1", 1.0) < 1.0)


def _arguments() -> argparse.ArgumentParser:
    out = parser("recall")
    out.add_argument("--corpus", metavar="FILE", help="JSONL of turns: conv, turn, speaker, datetime, text")
    out.add_argument(
        "--questions", metavar="FILE", help="JSONL: conv, question, category, adversarial, evidence"
    )
    out.add_argument("--pairs", metavar="FILE", help="JSONL of fact, question, asr_question: one pool")
    out.add_argument(
        "--crowd", type=int, default=0, metavar="N", help="unrelated facts added to the bank of --pairs"
    )
    out.add_argument("--misheard", action="store_true", help="also ask as a speech recognizer hears it")
    out.add_argument("--word-errors", type=float, default=0.1, help="word errors a word, when misheard")
    out.add_argument("--hearings", type=int, default=3, help="times that each question is misheard")
    out.add_argument("--sanity", type=int, metavar="N", help="generated facts asked for by their own words")
    out.add_argument(
        "--infer", action=argparse.BooleanOptionalAction, default=False, help="facts, not whole turns"
    )
    out.add_argument(
        "--baselines", action="store_true", help="BM25, cosine, and both together, on the same texts"
    )
    out.add_argument("--encoder", help="as Memory's: sentence, sentence:FOLDER, hash")
    out.add_argument(
        "--decay", choices=("none", "power"), default="none", help="whether old turns have faded"
    )
    out.add_argument(
        "--one-speaker", action="store_true", help="as if one person spoke; questions without their names"
    )
    out.add_argument("--steps", type=int, help="steps of the write loop; ranks do not depend on them")
    out.add_argument("--conversations", type=int, default=0, help="only the first so many; 0: all")
    return out


def _heard(questions: list[Question], hearings: int, rate: float, seed: int) -> list[Question]:
    """The questions with the ways in which they are misheard."""
    texts = [question.text for question in questions]
    recognizer = Recognizer(texts) if hearings else None
    by_hearing = [recognizer.hear(texts, rate, seed + hearing) for hearing in range(hearings) if recognizer]
    return [
        replace(question, heard=tuple(texts[place] for texts in by_hearing))
        for place, question in enumerate(questions)
    ]


def _report(found: Rankings) -> dict[str, Any]:
    """Ours at the top level, then by category, adversarial ones apart, baselines apart."""
    out: dict[str, Any] = {"questions": sum(not question.adversarial for question in found.questions)}
    ours = _by_category(found.questions, found.ours)
    out |= ours.pop("overall", {})
    out |= {"write_ms": percentiles(found.write_ms), "search_ms": percentiles(found.search_ms)}
    adversarial = ours.pop("adversarial", None)
    out["by_category"] = ours
    if adversarial:
        out["adversarial"] = adversarial
    if any(found.misheard):
        out |= _misheard(found)
    if any(question.updated and question.original for question in found.questions):
        rankers = {"neuromem": found.ours} | found.baselines
        out["updated_above_original"] = {
            name: _updated_first(found.questions, lists) for name, lists in rankers.items()
        }
    if found.baselines:
        by_name = {name: _by_category(found.questions, lists) for name, lists in found.baselines.items()}
        out["baselines"] = {name: result.get("overall", {}) for name, result in by_name.items()}
        out["baselines_by_category"] = [
            {"ranker / category": f"{name} / {category}", **row}
            for name, result in by_name.items()
            for category, row in result.items()
        ]
    return out


def _updated_first(questions: Sequence[Question], rankings: Sequence[Sequence[str]]) -> float:
    """Share of the questions about what changed for which the newer turn is found before the older."""
    rows = [
        (_place(ranking, question.updated), _place(ranking, question.original))
        for question, ranking in zip(questions, rankings, strict=True)
        if question.updated and question.original
    ]
    return mean(newer < older for newer, older in rows)


def _place(ranking: Sequence[str], turns: Sequence[str]) -> int:
    return min((ranking.index(turn) for turn in turns if turn in ranking), default=len(ranking))


def _misheard(found: Rankings) -> dict[str, Any]:
    """What mishearing costs the questions that have an answer."""
    answered = [place for place, question in enumerate(found.questions) if not question.adversarial]
    pairs = [
        (said, heard, found.ours[place], ranking)
        for place in answered
        for said in [found.questions[place]]
        for heard, ranking in zip(said.heard, found.misheard[place], strict=True)
    ]
    clean = _mean_scores([(ours, said) for said, _, ours, _ in pairs])
    noisy = _mean_scores([(ranking, said) for said, _, _, ranking in pairs])
    rate = word_error_rate([said.text for said, *_ in pairs], [heard for _, heard, *_ in pairs])
    compared = {"clean": clean, "misheard": noisy, "points lost": lost_points(clean, noisy)}
    return {"word_error_rate": rate, "misheard": compared}


def _mean_scores(ranked: Sequence[tuple[Sequence[str], Question]]) -> dict[str, float]:
    rows = [scores(ranking, question.evidence) for ranking, question in ranked]
    return {name: mean(row[name] for row in rows) for name in rows[0]} if rows else {}


def _by_category(
    questions: Sequence[Question], rankings: Sequence[Sequence[str]]
) -> dict[str, dict[str, float]]:
    groups: dict[str, list[dict[str, float]]] = {}
    for question, ranking in zip(questions, rankings, strict=True):
        row = scores(ranking, question.evidence)
        names = ["adversarial"] if question.adversarial else ["overall", question.category]
        for name in names:
            groups.setdefault(name, []).append(row)
    return {
        name: {measure: mean(row[measure] for row in rows) for measure in rows[0]} | {"questions": len(rows)}
        for name, rows in groups.items()
    }


def scores(ranking: Sequence[str], evidence: Sequence[str]) -> dict[str, float]:
    """Recall@k, reciprocal rank and nDCG@10 (binary gains) of one ranking of distinct turns."""
    wanted = set(evidence)
    places = [place for place, turn in enumerate(ranking, 1) if turn in wanted]
    out = {f"recall@{k}": sum(place <= k for place in places) / len(wanted) for k in (1, 5, 10, 20)}
    out["mrr"] = 1 / places[0] if places else 0.0
    gain = sum(1 / math.log2(place + 1) for place in places if place <= 10)
    best = sum(1 / math.log2(place + 1) for place in range(1, min(10, len(wanted)) + 1))
    return out | {"ndcg@10": gain / best}


def sanity(count: int, seed: int, config: Config, encoder: str | None, step: Any = None) -> dict[str, float]:
    """Exact cues: recall@1 of each fact asked for by its own words, among `count` facts of one owner."""
    texts = [fact.text for fact in personal_facts(count, seed)]
    with Memory(config=config, encoder=encoder) as memory:
        messages = [{"role": "user", "content": text} for text in texts]
        with stopwatch() as writing:
            written = memory.add(messages, user_id="one", infer=False, progress=step)
        first, times = [], []
        for done, (text, item) in enumerate(zip(texts, written, strict=True), 1):
            with stopwatch() as searching:
                found = memory.search(text, user_id="one", limit=1, fidelity="weights", rehearse=False)
            times.append(searching.ms)
            first.append(bool(found) and found[0].id == item.id)
            if step is not None:
                step(done, count)
    return {
        "facts": count, "recall@1": share(first), "misses": first.count(False),
        "facts_per_s": 1_000 * count / writing.ms,
        **{f"search_ms_{point}": value for point, value in percentiles(times).items()},
    }  # fmt: skip
