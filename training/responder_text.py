"""How the responder reads a prompt and says an answer: its chat template, its marks and its vocabulary.

The template makes of an assistant's messages what a small model can use: the question with the one before
it, the memories, each behind a mark with its number, and the question again. Instructions and the rest of the
talk are left out. The question comes before the memories, because these cannot see what comes after them.

An answer that tells a memory names its number first. Marks are control tokens, which llama.cpp reads in a
prompt and does not show in an answer, so that choosing a memory is one token and telling it is copying what
follows that token (induction: Olsson et al., arXiv 2209.11895).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from neuromem.echo import KNOWN

__all__ = [
    "ANSWER",
    "END",
    "FIRST",
    "MARKS",
    "MOST_LINES",
    "TEMPLATE",
    "mark",
    "number_of",
    "prompt_of",
    "vocabulary",
]

FIRST, ASK, ANSWER, END = "<|begin|>", "<|ask|>", "<|answer|>", "<|end|>"
MOST_LINES = 40  # memories that are read


def mark(number: int) -> str:
    """The mark of memory `number`, from 1."""
    return f"<|m{number}|>"


MARKS = (FIRST, ASK, ANSWER, END, *(mark(number) for number in range(1, MOST_LINES + 1)))
TEMPLATE = (
    "{%- set head = messages[0]['content'] if messages[0]['role'] == 'system' else '' -%}"
    "{%- set parts = messages[-1]['content'].split('\\n\\n') -%}"
    f"{{%- set known = head.split('{KNOWN}')[-1].split('\\n\\n')[0] if '{KNOWN}' in head else '' -%}}"
    "{%- set lines = (known ~ '\\n' ~ parts[:-1] | join('\\n')).split('\\n') -%}"
    f"{FIRST}"
    "{%- if messages | length > 2 and messages[-3]['role'] == 'user' -%}"
    "{{ messages[-3]['content'].split('\\n\\n')[-1] }}{%- endif -%}"
    f"{ASK}{{{{ parts[-1] }}}}"
    "{%- for line in lines if line.startswith('- ') -%}"
    f"{{%- if loop.index <= {MOST_LINES} -%}}<|m{{{{ loop.index }}}}|>{{{{ line[1:] }}}}{{%- endif -%}}"
    "{%- endfor -%}"
    f"{ASK}{{{{ parts[-1] }}}}{ANSWER}"
)


@cache
def _template() -> Any:
    from jinja2 import BaseLoader
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # as llama-cpp-python does it
    made = ImmutableSandboxedEnvironment(loader=BaseLoader(), trim_blocks=True, lstrip_blocks=True)
    return made.from_string(TEMPLATE)


def prompt_of(messages: Sequence[Mapping[str, str]]) -> str:
    """The messages of one turn as the model reads them."""
    return str(_template().render(messages=messages))


def number_of(tokenizer: Tokenizer, text: str) -> int:
    """The number of a mark."""
    number = tokenizer.token_to_id(text)
    assert number is not None
    return int(number)


def vocabulary(texts: Iterable[str], size: int) -> Tokenizer:
    """Byte-level pieces (as GPT-2's) learned from texts, and the marks behind them; `size` with these."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(MARKS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(list(MARKS))
    return tokenizer
