"""The responder's training: its prompts are an assistant's, and llama.cpp says what the network says."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.context.lines import memory_line
from neuromem.reading import Passage
from training.reader_samples import Sample
from training.responder_net import ResponderNet, Shape, hold_still, pointing
from training.responder_prompts import UNKNOWN, Prompter, played
from training.responder_samples import Shown, Teaching, from_prompt, from_sample, packed, texts_of
from training.responder_text import END, FIRST, mark, number_of, prompt_of, vocabulary
from training.steps import stepped
from training.talks import Ask, Talk

TOLD = [
    ("My dog's name is Potola.", "What is my dog called?"),
    ("I work at the port of Bergen.", "Where do I work?"),
    ("My sister Runa can't eat nuts.", "What can't Runa eat?"),
    ("Ștefan's café opens at 10:30, not 9.", "When does the café open?"),
    ("The rent is £1,250 a month.", "How much is the rent?"),
]
STRANGE = [
    "Ünïcödé naïve 日本語 🙂🏽 1234567 3.5% £20,000", "a  b   c\td e ", "I'm you're we'll it’s 10th ½ x² ٣٤",
    "DON'T, he'D… <p>—yes</p>", "\u200bzero\u00a0width e\u0301",
]  # fmt: skip


def sampled(number: int) -> Sample:
    """One of the facts above amid two others."""
    rng = random.Random(number)
    chosen = rng.sample(range(len(TOLD)), 3)
    passages = [Passage(TOLD[place][0], time=rank * 86_400.0) for rank, place in enumerate(chosen)]
    return Sample(TOLD[chosen[0]][1], passages, frozenset({0} if number % 4 else ()))


def test_a_sample_reads_as_an_assistants_prompt() -> None:
    model = Prompter()
    with Memory() as memory, Assistant(memory, "ana", model) as assistant:
        for fact, _ in TOLD:
            assistant.reply(fact)
        assistant.reply("Where do I work?")
        reply = assistant.reply("What is my dog called?")
        known = sorted(memory.conscious("ana"), key=lambda recall: (recall.created_at, recall.id))
        said = "\n".join(message["content"] for message in model.shown[1:-1])
        ids = {recall.id for recall in known}
        recalled = [recall for recall in reply.recalled if recall.id not in ids]
        shown = [recall for recall in known if recall.text not in said] + recalled
    lines = [memory_line(recall).removeprefix("-") for recall in shown]
    sample = Shown("What is my dog called?", lines, before="Where do I work?")
    assert prompt_of(model.shown) == sample.prompt


def test_a_dialogue_is_played_and_read_back() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
    asks = [
        Ask(at + 6e5, "known", ["What is my dog called?"], ["Potola"], [], [0]),
        Ask(at + 6e5 + 60, "unknown", ["What is my cat called?"], [], ["Potola"], [0]),
    ]
    talk = Talk("a/01_ana", "Ana", [(at, TOLD[0][0]), (at + 60, TOLD[1][0])], asks)
    known, unknown = (from_prompt(row) for row in played(talk, random.Random(0)))
    assert "Potola" in known.lines[known.right]
    assert known.answer.startswith(f"You told me on{mark(known.right + 1)} 2026-03-02")
    assert unknown.answer == UNKNOWN
    assert unknown.before == known.ask


def test_faint_is_said_faintly_and_without_its_note() -> None:
    shown = Shown("Who?", [" 2026-04-21, faint (entity, 11%): Mikkel adored him."], 0)
    said = f"I remember it only faintly. You told me on{mark(1)} 2026-04-21: Mikkel adored him."
    assert shown.answer == said


def test_samples_are_a_function_of_their_number() -> None:
    one, other = (Teaching((sampled,), [], ["Hello there."], seed=1) for _ in range(2))
    assert [one.sample(n, 0.5) for n in range(40)] == [other.sample(n, 0.5) for n in range(39, -1, -1)][::-1]
    assert one.sample(3, 0.5) != Teaching((sampled,), [], ["Hello there."], seed=2).sample(3, 0.5)


def test_a_network_copies_before_it_has_learned_anything() -> None:
    torch.manual_seed(0)
    net = ResponderNet(Shape(1_000))
    ids = torch.randperm(1_000)[:60].repeat(2)
    weights = torch.cat([torch.zeros(80), torch.ones(40)])
    _, right = net.loss(ids, [120], weights, torch.full_like(ids, -1))
    assert right.float().mean() > 0.2  # by chance 0.001


def test_what_copies_and_points_is_held_still() -> None:
    torch.manual_seed(0)
    net = ResponderNet(Shape(300, width=64, layers=2, heads=4, hidden=128))
    pointing(net, torch.arange(290, 300))
    hold_still(net)
    before = {name: weights.detach().clone() for name, weights in net.named_parameters()}
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.0)
    ids = torch.arange(300)
    loss, _ = net.loss(ids, [100, 200], torch.ones(300) * (ids % 100 > 0), torch.full_like(ids, -1))
    stepped(net, optimizer, loss, 1e-3)
    after = dict(net.named_parameters())
    kept = ("layers.0.query.weight", slice(0, 48)), ("layers.1.key.weight", slice(0, 32))
    for name, rows in kept:
        assert torch.equal(after[name][rows], before[name][rows])
        assert not torch.equal(after[name][rows.stop :], before[name][rows.stop :])
    assert torch.equal(after["tokens.weight"][:, :2], before["tokens.weight"][:, :2])


@pytest.mark.slow
def test_llama_cpp_says_what_the_network_says(tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp", reason="needs llama-cpp-python: pip install 'neuromem[llm]'")
    pytest.importorskip("gguf", reason="the package gguf writes the model: pip install gguf")
    from neuromem.llm import load_llm
    from training.responder_gguf import write_gguf

    torch.manual_seed(0)
    shown = [from_sample(sampled(number), 3, random.Random(number)) for number in range(240)]
    tokenizer = vocabulary([*texts_of(shown), *STRANGE], 640)
    net = ResponderNet(Shape(tokenizer.get_vocab_size(), width=64, layers=2, heads=4, hidden=128))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for step in range(120):
        loss, _ = net.loss(*packed(tokenizer, shown[step % 30 * 8 : step % 30 * 8 + 8]))
        stepped(net, optimizer, loss, 3e-3)
    path = tmp_path / "responder.gguf"
    write_gguf(net, tokenizer, path)

    model = llama_cpp.Llama(str(path), n_ctx=1_024, n_threads=1, verbose=False)
    for text in [*STRANGE, shown[0].prompt, *texts_of(shown[:5])]:
        assert model.tokenize(text.encode(), add_bos=False, special=True) == tokenizer.encode(text).ids, text
    end = number_of(tokenizer, END)
    for sample in shown[:4]:
        prompt = tokenizer.encode(sample.prompt).ids
        said = []
        for token in model.generate(prompt, temp=0.0, repeat_penalty=1.0):
            said.append(token)
            if token == end or len(said) == 40:
                break
        assert said == net.said(prompt, end, 40)
    model.close()

    llm = load_llm(f"gguf:{path}")
    text = llm.generate([{"role": "user", "content": shown[0].ask}], max_tokens=40).text
    assert text.strip()
    assert FIRST not in text
    assert "<|" not in text
