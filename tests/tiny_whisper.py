"""A Whisper model of a few thousand weights, taught a handful of spoken sentences, in CTranslate2's format.

It is what faster-whisper loads, in everything but its size: the vocabulary has the layout of the multilingual
models, the features are theirs, and the words come out of a beam over real attention. It knows no others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromem.voice.audio import RATE, Samples
from neuromem.voice.recognize import load_recognizer

WIDTH, SHIFTS = 32, 12
SEEDS = 6  # so small a model learns well from some beginnings only, and from others on another processor
LEADS = (0, 3_000, 8_000, 8_000, 12_000)  # samples of silence before a sentence that it has to know
TEXT_TOKENS = 50_257  # ids of Whisper's multilingual vocabulary
LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg "
    "lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so "
    "af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
).split()
MARKS = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES), "<|translate|>",
         "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
         *(f"<|{0.02 * tick:.2f}|>" for tick in range(1_501))]  # fmt: skip


GIVEN = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
END = "<|endoftext|>"
# seconds of sound at a time, steps, rate: the short ones cost little
STAGES = ((4, 120, 4e-3), (30, 40, 1e-3))


def learned_vocabulary(texts: Sequence[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Byte-level BPE over the texts: its pieces and its merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    learned.train_from_iterator(texts, trainer)
    model = json.loads(learned.to_str())["model"]
    return dict(model["vocab"]), [tuple(merge) for merge in model["merges"]]


def tokenizer_of(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    """A tokenizer with Whisper's ids: what was learned comes first, the rest of them stands for nothing."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    whole = vocabulary | {f"\u2060{place}": place for place in range(len(vocabulary), TEXT_TOKENS)}
    made = Tokenizer(models.BPE(whole, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(MARKS)
    return made


def write_tiny_whisper(folder: Path, spoken: Sequence[tuple[str, Samples]]) -> Path:
    """Teaches the model to write down these sounds, and writes it as faster-whisper wants it."""
    pytest.importorskip("faster_whisper", reason="needs faster-whisper: pip install 'neuromem[voice]'")
    pytest.importorskip("transformers", reason="the converter needs it: pip install transformers")
    for seed in range(SEEDS):
        made = _written(folder / str(seed), spoken, seed)
        if _hears(made, spoken):
            return made
    raise AssertionError("it has not learned its sentences")


def _hears(made: Path, spoken: Sequence[tuple[str, Samples]]) -> bool:
    """Whether it writes down what it was taught, wherever it begins."""
    recognizer = load_recognizer(f"whisper:{made}")
    for text, sound in spoken:
        for lead in LEADS:
            recognizer.begin()
            recognizer.feed(np.concatenate([np.zeros(lead, np.int16), sound, np.zeros(RATE // 2, np.int16)]))
            if recognizer.finish() != text:
                return False
    return True


def _written(folder: Path, spoken: Sequence[tuple[str, Samples]], seed: int) -> Path:
    import torch
    from transformers import WhisperForConditionalGeneration

    torch.manual_seed(seed)
    vocabulary, merges = learned_vocabulary([text for text, _ in spoken])
    tokenizer = tokenizer_of(vocabulary, merges)
    marks = {mark: len(vocabulary) + place for place, mark in enumerate((END, *GIVEN))}
    rows = [[*(marks[mark] for mark in GIVEN), *tokenizer.encode(text).ids, marks[END]] for text, _ in spoken]
    model = None
    for seconds, steps, rate in STAGES:
        longer = WhisperForConditionalGeneration(_config(len(vocabulary) + len(marks), marks[END], seconds))
        if model is not None:
            _take_over(longer, model)
        model = longer
        _teach(model, rows, [sound for _, sound in spoken], marks[END], seconds, steps, rate)
    places = list(range(len(vocabulary))) + [TEXT_TOKENS + MARKS.index(mark) for mark in marks]
    whole = WhisperForConditionalGeneration(_config(TEXT_TOKENS + len(MARKS), TEXT_TOKENS, 30))
    assert model is not None
    _take_over(whole, model, places)
    return _converted(folder, whole, tokenizer)


def _config(pieces: int, end: int, seconds: int) -> Any:
    from transformers import WhisperConfig

    return WhisperConfig(
        vocab_size=pieces, d_model=WIDTH, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=2 * WIDTH, decoder_ffn_dim=2 * WIDTH, pad_token_id=end,
        bos_token_id=end, eos_token_id=end, decoder_start_token_id=end + 1, dropout=0.0,
        max_source_positions=seconds * 50,
    )  # fmt: skip


def _take_over(model: Any, other: Any, places: Sequence[int] = ()) -> None:
    """Weights of another one: those of the same shape, rows of pieces to their places; the rest win never."""
    small = other.state_dict()
    for name, values in model.state_dict().items():
        if values.shape == small[name].shape:
            values.copy_(small[name])
        elif "encoder" not in name:  # there it is the place in time, which no one has to learn
            values.zero_()
            values[places] = small[name]


def _teach(
    model: Any, rows: Sequence[Sequence[int]], sounds: Sequence[Samples], end: int, seconds: int, steps: int,
    rate: float,
) -> None:  # fmt: skip
    """Each sound, at many distances from the beginning, is followed by its words."""
    import torch
    from faster_whisper.feature_extractor import FeatureExtractor

    extract, rng = FeatureExtractor(chunk_length=seconds), np.random.default_rng(0)
    heard = [[_features(extract, _shifted(sound, rng)) for _ in range(SHIFTS)] for sound in sounds]
    length = max(map(len, rows))
    padded = torch.tensor([[*row, *[end] * (length - len(row))] for row in rows])
    goals = padded[:, 1:].clone()
    for place, row in enumerate(rows):
        goals[place, len(row) - 1 :] = -100
    each = [*range(len(rows))]
    best = torch.optim.AdamW(model.parameters(), rate)
    for _ in range(steps):
        features = torch.tensor(np.stack([heard[place][rng.integers(SHIFTS)] for place in each]))
        said = model(input_features=features, decoder_input_ids=padded[each, :-1]).logits
        loss = torch.nn.functional.cross_entropy(said.flatten(0, 1), goals[each].flatten(), ignore_index=-100)
        best.zero_grad()
        loss.backward()
        best.step()


def _shifted(sound: Samples, rng: Any) -> Samples:
    """With a little more silence before it, as it comes out of an endpointer."""
    return np.concatenate([np.zeros(rng.integers(0, RATE // 2), np.int16), sound])


def _features(extract: Any, sound: Samples) -> Any:
    features = extract(sound.astype(np.float32) / 32_768)[:, : extract.nb_max_frames]
    return np.pad(features, ((0, 0), (0, extract.nb_max_frames - features.shape[1]))).astype(np.float32)


def _converted(folder: Path, model: Any, tokenizer: Any) -> Path:
    from ctranslate2.converters import TransformersConverter
    from transformers import PreTrainedTokenizerFast

    hf = folder / "hf"
    model.generation_config.update(alignment_heads=[[0, 0]], suppress_tokens=[], begin_suppress_tokens=[])
    model.save_pretrained(hf)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<|endoftext|>")
    wrapped.save_pretrained(hf)
    made = folder / "tiny"
    TransformersConverter(str(hf)).convert(str(made), quantization="float32")
    tokenizer.save(str(made / "tokenizer.json"))
    return made
