"""The frozen codec: any bytes in, the same bytes out, and no lies on the way down."""

from __future__ import annotations

import dataclasses
import random
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strings import FACTS, NASTY, NASTY_BYTES

from neuromem.codec import Codec, CodecConfig, assemble, default_codec, starts_of, to_patches
from neuromem.confidence import DAMAGED_GIST, GIST, WORDS, Map
from neuromem.config import WriteConfig
from neuromem.errors import BankFileInvalid, NotFound
from neuromem.facts import gist_of
from neuromem.forgetting import Fidelity, fidelity_at
from neuromem.ladder import FIELDS, GIST_FIELDS, TEXT_BYTES, VALUE_UNITS, VERBATIM, Field, worn
from neuromem.write import NEVER, Values, write_values

LADDER = torch.logspace(0, -2, 60, base=10).tolist()  # strengths from 1 down to 0.01
QUICK = WriteConfig(max_steps=6)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda text: len(text.encode()) <= TEXT_BYTES
)


def written(words: list[bytes], config: WriteConfig = QUICK) -> Values:
    return write_values(default_codec(), words, [(b"",) * 4] * len(words), config)


def readings(values: Values, strength: float) -> list[tuple[str, Fidelity, float]]:
    at = torch.full((len(values.value),), strength)
    left = worn(values.value, torch.zeros(len(at), dtype=torch.int64), at, values.floor)
    return [(r.text, r.fidelity, r.confidence) for r in default_codec().read_values(left, at)]


@cache
def facts_with_gists() -> tuple[list[str], Values]:
    """Facts, and values that hold their words and their gists."""
    gists = [gist_of(fact) for fact in FACTS]
    segments = [tuple(part.encode() for part in gist.segments()) for gist in gists]
    values = write_values(default_codec(), [fact.encode() for fact in FACTS], segments, WriteConfig())
    return [str(gist) for gist in gists], values


# --- patches -----------------------------------------------------------------------------------


def test_texts_are_cut_into_patches_of_eight_bytes_the_last_one_padded() -> None:
    patches, lengths = to_patches([b"123456789", b"", b"ab"])
    assert lengths.tolist() == [2, 1, 1]
    assert patches.tolist() == [
        list(b"12345678"),
        [ord("9")] + [256] * 7,
        [256] * 8,
        [ord("a"), ord("b")] + [256] * 6,
    ]
    assert starts_of(lengths).tolist() == [True, False, True, True]


def test_a_closed_text_has_an_end_behind_it_even_when_it_fills_its_last_patch() -> None:
    patches, lengths = to_patches([b"12345678", b"ab"], closed=True)
    assert lengths.tolist() == [2, 1]
    assert patches[1].tolist() == [256] * 8


def test_no_text_at_all_is_no_patches() -> None:
    patches, lengths = to_patches([])
    assert patches.shape == (0, 8)
    assert lengths.tolist() == []
    assert default_codec().read(torch.zeros(0, 20), torch.ones(0), torch.zeros(0), torch.zeros(2).long())[
        0
    ] == [b"", b""]


@pytest.mark.parametrize("raw", NASTY_BYTES.values(), ids=NASTY_BYTES)
def test_any_bytes_are_encoded_and_decoded_without_a_fault(raw: bytes) -> None:
    codec = default_codec()
    with torch.no_grad():
        codes, lengths = codec.encode([raw])
    assert codes.abs().max() <= 1
    read, sure = codec.read(codes, torch.full((len(codes),), 16.0), torch.zeros(len(codes)).long(), lengths)
    assert len(read[0]) <= len(raw) + 7
    assert 0 <= float(sure[0]) <= 1


# --- any text, every field ---------------------------------------------------------------------


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_nasty_strings_are_said_word_for_word_or_not_at_all_by_every_field(field: Field) -> None:
    pieces = [text.encode()[: field.capacity_bytes] for text in NASTY.values()]
    pieces = [piece.decode(errors="ignore").encode() for piece in pieces]
    pieces = [piece for piece in pieces if piece]
    gists = [[piece if field is other else b"" for other in GIST_FIELDS] for piece in pieces]
    words = pieces if field is VERBATIM else [b""] * len(pieces)
    values = write_values(default_codec(), words, gists, QUICK)
    stored = values.value[:, field.units].reshape(len(pieces), field.patches, -1)
    proven = 0
    for piece, patches, is_proven in zip(pieces, stored, values.fields[:, field.index].tolist(), strict=True):
        if not is_proven:
            assert not patches.any()
            continue
        proven += 1
        used = patches[: -(-len(piece) // 8)].float()
        level = torch.full((len(used),), field.amplitude)
        index = torch.full((len(used),), field.index)
        read, sure = default_codec().read(used / field.amplitude, level, index, torch.tensor([len(used)]))
        assert read == [piece]
        assert float(sure[0]) > 0.5
    assert proven > len(pieces) // 2


@pytest.mark.slow
@settings(max_examples=30)
@given(text=texts)
def test_any_text_is_exact_or_flagged_and_never_a_lie_at_any_strength(text: str) -> None:
    values = written([text.encode()])
    floor = float(values.floor[0])
    last = Fidelity.VERBATIM.level
    for strength in LADDER:
        said, fidelity, sure = readings(values, strength)[0]
        if fidelity is Fidelity.VERBATIM:
            assert said == text
            assert strength >= floor
            assert 0 < sure < 1
        else:
            assert strength < floor or floor == NEVER, "what was proven is also said"
            assert said == ""
        assert fidelity.level <= last
        last = fidelity.level


def test_facts_are_exact_down_to_the_end_of_the_words_rung_and_then_say_their_gist() -> None:
    gists, values = facts_with_gists()
    assert values.floor.tolist() == pytest.approx([0.35] * len(FACTS))
    for strength in LADDER:
        due = fidelity_at(strength)
        for fact, gist, (said, fidelity, _) in zip(FACTS, gists, readings(values, strength), strict=True):
            assert fidelity.level <= due.level
            if fidelity is Fidelity.VERBATIM:
                assert said == fact
            else:
                assert gist.startswith(said), "a faded fact says less, never something else"


def test_facts_with_a_gist_step_down_rung_by_rung() -> None:
    _, values = facts_with_gists()
    seen = [
        [readings(values, s)[row][1] for s in (1, 0.3, 0.15, 0.08, 0.04, 0.02)] for row in range(len(FACTS))
    ]
    potola = seen[0]
    assert potola == list(Fidelity)
    for rungs in seen:
        levels = [rung.level for rung in rungs]
        assert levels == sorted(levels, reverse=True)


def test_the_dog_outlives_its_name() -> None:
    _, values = facts_with_gists()
    said = [readings(values, s)[0][0] for s in (1, 0.3, 0.15, 0.08, 0.04, 0.02)]
    assert said == ["My dog's name is Potola", "1|dog name|Potola", "1|dog name|P", "1|dog name", "1", ""]


def test_a_value_of_zeros_says_nothing() -> None:
    (reading,) = default_codec().read_values(torch.zeros(1, VALUE_UNITS), torch.ones(1))
    assert (reading.text, reading.fidelity) == ("", Fidelity.FORGOTTEN)


def test_no_values_no_readings() -> None:
    assert default_codec().read_values(torch.zeros(0, VALUE_UNITS), torch.zeros(0)) == []


def test_reading_in_a_batch_says_what_reading_alone_says() -> None:
    _, values = facts_with_gists()
    for strength in (1.0, 0.3, 0.1):
        together = readings(values, strength)
        for row in range(len(FACTS)):
            alone = Values(
                *(getattr(values, part.name)[row : row + 1] for part in dataclasses.fields(values))
            )
            assert readings(alone, strength)[0][:2] == together[row][:2]


# --- confidence --------------------------------------------------------------------------------


@pytest.mark.parametrize("trust", [WORDS, GIST, DAMAGED_GIST])
def test_confidence_rises_with_the_decoders_own_chance_and_leads_back_to_it(trust: Map) -> None:
    chances = [0.0, 1e-9, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 1e-9, 1.0]
    mapped = [trust(chance) for chance in chances]
    assert mapped == sorted(mapped)
    assert 0 < mapped[0] < mapped[4] < mapped[-1] < 1
    assert [trust.raw(chance) for chance in mapped[2:-2]] == pytest.approx(chances[2:-2])


def test_confidence_is_that_all_bytes_are_right_not_only_the_least_sure() -> None:
    codec, (_, values) = default_codec(), facts_with_gists()
    units = values.value[0, VERBATIM.units].view(-1, 16)[:3].float() / VERBATIM.amplitude
    noise = 0.1 * torch.randn(units.shape, generator=torch.Generator().manual_seed(0))
    level = torch.full((3,), VERBATIM.amplitude)
    _, least, every = codec.spell(units + noise, level, torch.zeros(3).long(), torch.tensor([3]))
    assert 0 < float(every) < float(least) < 1


def test_words_are_trusted_more_than_a_gist_and_a_gist_less_the_more_of_it_is_said() -> None:
    words, whole, part = ([(b"ab", 0.9, 0.8)] * count for count in (1, 2, 1))
    said = [assemble(words, [VERBATIM], GIST), assemble(whole, [*GIST_FIELDS[:2]], GIST)]
    said.append(assemble(part, [GIST_FIELDS[0]], GIST))
    assert said[0].confidence > said[2].confidence > said[1].confidence
    assert assemble(part, [GIST_FIELDS[0]], DAMAGED_GIST).confidence < said[2].confidence


# --- damage ------------------------------------------------------------------------------------


def flipped(value: torch.Tensor, bits: int, rng: random.Random) -> torch.Tensor:
    """A value with so many bits of its stored words turned over."""
    out = value.clone()
    stored = (value != 0).nonzero().flatten().tolist()
    for _ in range(bits):
        unit = rng.choice(stored)
        raw = (int(out[unit]) & 0xFF) ^ (1 << rng.randrange(8))
        out[unit] = raw - 256 if raw > 127 else raw
    return out


def test_damaged_values_never_crash_and_hardly_ever_lie_with_confidence() -> None:
    values, rng = written([fact.encode() for fact in FACTS], WriteConfig()), random.Random(1)
    lies = confident = total = 0
    for bits in (1, 2, 4, 16, 64):
        damaged = torch.stack([flipped(values.value[row % len(FACTS)], bits, rng) for row in range(100)])
        hurt = Values(
            damaged, values.floor.repeat(10), values.fields.repeat(10, 1), values.steps.repeat(10),
            values.chance.repeat(10),
        )  # fmt: skip
        for row, (said, fidelity, sure) in enumerate(readings(hurt, 1.0)):
            total += 1
            if fidelity is Fidelity.VERBATIM and said != FACTS[row % len(FACTS)]:
                lies += 1
                confident += sure > 0.95
    print(
        f"of {total} damaged values {lies} said other words, {confident} of them with confidence above 0.95"
    )
    assert lies < 0.15 * total
    assert confident < 0.1 * total


def test_random_weights_say_something_or_nothing_but_never_crash() -> None:
    noise = torch.randint(-127, 128, (200, VALUE_UNITS)).float()
    for strength in (1.0, 0.5, 0.004):
        for reading in default_codec().read_values(noise, torch.full((200,), strength)):
            reading.text.encode()
            assert 0 <= reading.confidence <= 1


# --- checkpoints -------------------------------------------------------------------------------


def test_a_codec_survives_its_file(tmp_path) -> None:
    small = Codec(CodecConfig(byte_width=8, encoder_width=16, width=16, blocks=1, head_width=8))
    small.save(tmp_path / "codec.safetensors", {"steps": "0"})
    again = Codec.load(tmp_path / "codec.safetensors")
    assert again.config == small.config
    assert len(again.identity) == 16
    for name, weight in small.state_dict().items():
        assert torch.equal(weight.half().float(), again.state_dict()[name])
    assert Codec.load(tmp_path / "codec.safetensors").identity == again.identity


def test_the_shipped_codec_is_small_and_frozen() -> None:
    codec = default_codec()
    assert codec is default_codec()
    assert not any(weight.requires_grad for weight in codec.parameters())
    assert sum(weight.numel() for weight in codec.parameters()) * 2 < 12 * 2**20


def test_no_checkpoint_is_a_clear_error(tmp_path) -> None:
    with pytest.raises(NotFound, match=r"absent\.safetensors does not exist"):
        Codec.load(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("junk", [b"", b"junk", b"\xff" * 100], ids=["empty", "text", "huge header"])
def test_a_file_that_is_no_checkpoint_is_a_clear_error(tmp_path, junk: bytes) -> None:
    path = tmp_path / "codec.safetensors"
    path.write_bytes(junk)
    with pytest.raises(BankFileInvalid, match="is not a codec checkpoint"):
        Codec.load(path)


def test_weights_of_another_shape_are_a_clear_error(tmp_path) -> None:
    small = Codec(CodecConfig(byte_width=8, encoder_width=16, width=16, blocks=1, head_width=8))
    small.config = CodecConfig()
    small.save(tmp_path / "codec.safetensors")
    with pytest.raises(BankFileInvalid, match="is not a codec checkpoint"):
        Codec.load(tmp_path / "codec.safetensors")
