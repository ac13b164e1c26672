"""Sound into bytes: one burst at a time, whole recordings, or a stream that never ends."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput, NoSignal, SignalDamaged
from ..layers.erasure import Erasure
from ..layers.ldpc import code
from .carriers import soft_bits
from .frames import Control, Words, control_code, crc32c, read_words
from .gathering import Gathering, Graded
from .grading import Word, read_graded
from .plan import DATA_AT, LEAD_S, MODES, NARROW, SYMBOL_S, TRAINING, Layout, layout, layout_of, mode_of
from .sending import MOST_BYTES, check_rate, control_cells, resampled
from .sync import Channel, equalise, find_chirps, learn

__all__ = ["Listener", "Received", "Report", "demodulate"]

FINDER = 12_000  # Hz, where chirps are sought and control symbols read
LOOK_S, FEED_S = 0.5, 5.0  # new sound before looking again; the most that is taken in at once
MARGIN_S = 0.05  # around a burst, for the filters' ends
HEAD_S = LEAD_S + DATA_AT * SYMBOL_S + MARGIN_S  # of a burst, until its control word is read
MOST_PENDING = 8  # unfinished messages that are remembered
PENDING_BYTES = 2 * MOST_BYTES


@dataclass
class Report:
    """What happened to a message on its way.

    Attributes:
        mode: its name. bursts: heard, of how many sent. frames: LDPC words heard. hurt: those with
            wrong bits; healed: hurt ones that were put right. lost: numbers of the frames that are
            missing, as "burst.frame" or "burst" for one that was not heard. snr_db: of the weakest
            burst. drift_ppm: how much slower than ours the sender's clock runs (largest of the
            bursts). rebuilt: bursts that were lost, by parity. classes: of a graded message, by class its
            bytes, its packets of content, how many of them were made of parity, how many are lost.
    """

    mode: str = ""
    bursts: int = 0
    of: int = 0
    frames: int = 0
    hurt: int = 0
    healed: int = 0
    lost: list[str] = field(default_factory=list)
    snr_db: float = float("inf")
    drift_ppm: float = 0.0
    rebuilt: int = 0
    classes: dict[str, dict[str, int]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; an SNR that was never measured is None."""
        out = asdict(self)
        if not np.isfinite(self.snr_db):
            out["snr_db"] = None
        return out


@dataclass(frozen=True)
class Received:
    """A message that came whole, its CRC-32C right.

    Attributes:
        payload: the bytes sent, of a graded message those of its items one after another. report: what was
            hurt and healed on the way. graded: the items of a graded message, None for a plain one.
    """

    payload: bytes
    report: Report
    graded: Graded | None = None


@dataclass
class _Burst:
    control: Control
    chunks: dict[int, bytes]
    sizes: tuple[int, ...]
    words: list[Word | None] = field(default_factory=list)  # of a graded message


class Listener:
    """Hears messages in a stream of samples; memory is bounded by the longest burst (46 s of sound).

    Args:
        rate: samples a second, 8,000 to 192,000. mode: the only one to hear; any when None.

    Raises:
        InvalidInput: an unknown mode, a rate out of range.

    Attributes:
        damaged: messages that ended with parts missing, as errors that say which; the last eight.
    """

    def __init__(self, rate: int, mode: str | None = None) -> None:
        check_rate(rate)
        self.rate, self._only = rate, None if mode is None else mode_of(mode)
        self.damaged: list[SignalDamaged] = []
        self._buffer = np.zeros(0, np.float32)
        self._looked = 0  # samples of the buffer that hold no begin of a burst
        self._need = 0  # samples to wait for, where a chirp was heard and its control word is to come
        self._waiting: tuple[int, Control, Layout, Channel] | None = None
        self._done: list[tuple[int, int, int]] = []  # messages that came whole last
        self._pending: OrderedDict[tuple[int, int, int], tuple[dict[int, _Burst], Report]] = OrderedDict()
        self._graded: OrderedDict[tuple[int, int, int], tuple[Gathering, Report]] = OrderedDict()

    def feed(self, samples: ArrayLike) -> list[Received]:
        """Takes in what was heard since.

        Args:
            samples: shape (n,), finite; whole numbers are taken as they are.

        Returns:
            Messages that are whole now.

        Raises:
            InvalidInput: not one row of finite numbers.
        """
        audio, step, out = _samples(samples), round(FEED_S * self.rate), list[Received]()
        for at in range(0, len(audio), step):
            self._buffer = np.concatenate([self._buffer, audio[at : at + step]])
            while (heard := self._advance(last=False)) is not None:
                out += heard
        return out

    def finish(self) -> list[Received]:
        """What the end of the stream decides: a burst that was cut off is read as far as it goes."""
        out = list[Received]()
        while (heard := self._advance(last=True)) is not None:
            out += heard
        for key in list(self._pending):
            self._give_up(key)
        for gathering, report in self._graded.values():
            self._tell(gathering, report)
        self._graded.clear()
        self._buffer, self._looked = np.zeros(0, np.float32), 0
        return out

    # -- finding

    def _advance(self, last: bool) -> list[Received] | None:
        """One step on; None when more sound is needed."""
        if self._waiting is not None:
            begin, control, plan, channel = self._waiting
            end = begin + round((plan.seconds * (1 + channel.drift) + MARGIN_S) * self.rate)
            if len(self._buffer) < end and not last:
                return None
            self._waiting = None
            burst, report = _decode(self._buffer, self.rate, begin, control, plan, channel)
            if report.hurt:  # it may have been stopped, and another begun before this one was to end
                end = begin + round((HEAD_S + MARGIN_S) * self.rate)
            self._forget(max(0, end - round(2 * MARGIN_S * self.rate)))
            return self._take(burst, report)
        return self._look(last)

    def _look(self, last: bool) -> list[Received] | None:
        fresh = len(self._buffer) - self._looked
        if fresh < (1 if last else max(self._need, round(LOOK_S * self.rate))):
            return None
        self._need = 0
        margin, head = round(MARGIN_S * self.rate), round(HEAD_S * self.rate)
        begin = max(0, self._looked - margin)
        heard = resampled(self._buffer[begin:], self.rate, FINDER)
        for found in find_chirps(heard, FINDER):
            at = begin + round(found * self.rate / FINDER)
            if at + head > len(self._buffer) and not last:
                self._forget(max(0, at - margin))
                self._looked, self._need = 0, head + 2 * margin
                return None
            read = _read_control(heard, found)
            if read is None or (self._only and read[0].mode != self._only.number):
                continue
            control, plan, channel = read
            self._forget(max(0, at - margin))
            self._waiting = (min(at, margin), control, plan, channel)
            return []
        # a chirp may have begun at the very end
        self._looked = len(self._buffer) if last else max(0, len(self._buffer) - round(LEAD_S * self.rate))
        self._forget(max(0, self._looked - margin))
        return None

    def _forget(self, count: int) -> None:
        self._buffer = self._buffer[count:].copy()
        self._looked = max(0, self._looked - count)

    # -- putting together

    def _take(self, burst: _Burst, report: Report) -> list[Received]:
        control = burst.control
        key = (control.message, control.total, control.mode)
        if control.graded:
            return self._take_graded(burst, report, key)
        if control.part >= control.parts and key in self._done:
            return []  # parity of a message that is whole already
        self._done = [each for each in self._done if each != key]
        if key not in self._pending:
            while len(self._pending) >= MOST_PENDING or (self._pending and self._held() > PENDING_BYTES):
                self._give_up(next(iter(self._pending)))
            self._pending[key] = ({}, Report(report.mode, of=control.parts))
        bursts, sum_ = self._pending[key]
        _add(sum_, report)
        earlier = bursts.get(control.part)
        if earlier is not None:  # sent again: what is missing may have come through this time
            burst.chunks.update(earlier.chunks)
        bursts[control.part] = burst
        payload = _whole(bursts, control, sum_)
        if payload is None:
            if control.part == control.parts + control.spare - 1:
                self._give_up(key)
            return []
        if len(payload) != control.total or crc32c(payload) != control.message:
            self._give_up(key)
            return []
        del self._pending[key]
        self._done = [*self._done[-7:], key]
        sum_.bursts = len(bursts)
        return [Received(payload, sum_)]

    def _take_graded(self, burst: _Burst, report: Report, key: tuple[int, int, int]) -> list[Received]:
        control = burst.control
        if key in self._done and control.part:
            return []  # the rest of a message that is whole already
        self._done = [each for each in self._done if each != key]
        if key not in self._graded:
            while len(self._graded) >= MOST_PENDING or (self._graded and self._held() > PENDING_BYTES):
                _, (forgotten, its) = self._graded.popitem(last=False)
                self._tell(forgotten, its)
            gathering = Gathering(control.total, control.message)
            self._graded[key] = (gathering, Report(report.mode, of=control.parts))
        gathering, sum_ = self._graded[key]
        _add(sum_, report)
        gathering.add(burst.words, control.part)
        sum_.bursts = len(gathering.parts)
        graded = gathering.whole(sum_)
        if graded is not None:
            del self._graded[key]
            self._done = [*self._done[-7:], key]
            return [Received(graded.payload, sum_, graded)]
        if control.part == control.parts - 1:
            self._tell(gathering, sum_)  # and kept: sent again, it may complete
        return []

    def _tell(self, gathering: Gathering, report: Report) -> None:
        if not gathering.told:
            gathering.told = True
            self.damaged = [*self.damaged[-7:], gathering.damage(report)]

    def _held(self) -> int:
        plain = sum(sum(b.sizes) for bursts, _ in self._pending.values() for b in bursts.values())
        return plain + sum(gathering.held for gathering, _ in self._graded.values())

    def _give_up(self, key: tuple[int, int, int]) -> None:
        bursts, report = self._pending.pop(key)
        report.bursts, report.lost = len(bursts), []
        pieces = dict[int, bytes]()
        for part in range(report.of):
            if (burst := bursts.get(part)) is None:
                report.lost.append(str(part))
                continue
            offset = part * MODES[report.mode].capacity
            for i, size in enumerate(burst.sizes):
                if i in burst.chunks:
                    pieces[offset] = burst.chunks[i]
                else:
                    report.lost.append(f"{part}.{i}")
                offset += size
        shown = ", ".join(report.lost[:8]) + (", …" if len(report.lost) > 8 else "")
        got = sum(map(len, pieces.values()))
        error = SignalDamaged(
            f"a message of {key[1]} bytes came with frames missing ({shown or 'its CRC-32C is wrong'}), "
            f"{got} bytes are there; send it again, louder or nearer, or in the mode 'robust'",
            report,
            pieces,
        )
        self.damaged = [*self.damaged[-7:], error]


def _whole(bursts: dict[int, _Burst], control: Control, report: Report) -> bytes | None:
    """The message, if enough bursts are whole; those that are not are rebuilt if there is parity."""
    whole = {
        part: b"".join(burst.chunks[i] for i in range(len(burst.sizes)))
        for part, burst in bursts.items()
        if len(burst.chunks) == len(burst.sizes)
    }
    if len(whole) < control.parts:
        return None
    lost = [part for part in range(control.parts) if part not in whole]
    if lost:
        step = max(map(len, whole.values()))
        code_ = Erasure(control.parts, control.parts + control.spare)
        blocks = code_.rebuild({part: block.ljust(step, b"\0") for part, block in whole.items()}) or []
        report.rebuilt = len(lost)
        return b"".join(blocks)[: control.total]
    return b"".join(whole[part] for part in range(control.parts))


def demodulate(audio: ArrayLike, rate: int, mode: str | None = None) -> Received:
    """Reads the first whole message of a recording.

    Args:
        audio: samples, shape (n,). rate: samples a second, 8,000 to 192,000. mode: the only mode to
            hear; any when None (the sound itself says which it is).

    Raises:
        InvalidInput: no row of finite samples; a rate or mode that is not known. NoSignal: no message.
        SignalDamaged: one is there, and frames of it are lost.
    """
    listener = Listener(rate, mode)
    samples, step = _samples(audio), round(FEED_S * rate)
    for at in range(0, len(samples), step):
        if heard := listener.feed(samples[at : at + step]):
            return heard[0]
    if heard := listener.finish():
        return heard[0]
    if listener.damaged:
        raise listener.damaged[0]
    raise NoSignal(
        f"no message in {len(samples) / rate:.1f} s of sound; check that it is the right recording, and that "
        "it was neither muted nor cut off"
    )


def _samples(given: ArrayLike) -> NDArray[np.float32]:
    audio = np.asarray(given)
    if audio.ndim != 1 or audio.dtype.kind not in "fiu":
        raise InvalidInput("audio", f"has shape {audio.shape} of {audio.dtype}", "give one row of samples")
    with np.errstate(over="ignore"):
        samples = audio.astype(np.float32)
    if not np.isfinite(samples).all() or (len(samples) and np.abs(samples).max() > 1e9):
        raise InvalidInput("audio", "holds samples that are no finite number", "give samples within -1 … 1")
    return samples


def _read_control(heard: NDArray[np.float32], begin: int) -> tuple[Control, Layout, Channel] | None:
    """The control word behind a chirp, at FINDER samples a second; None when there is none."""
    channel = learn(heard, FINDER, begin, NARROW)
    got = equalise(heard, FINDER, begin, channel, NARROW, range(TRAINING, DATA_AT))
    word = np.zeros(control_code().n, np.float32)
    for row, (free, which) in enumerate(control_cells()):
        np.add.at(word, which, soft_bits(got.points[row, free], got.noise[row, free], 2))
    decoded = control_code().decode(word[None])
    control = Control.read(np.packbits(decoded.bits[0]).tobytes())
    if control is None:
        return None
    mode = next(each for each in MODES.values() if each.number == control.mode)
    plan = layout_of(mode, control.size) if control.graded else layout(mode, control.size)
    return control, plan, channel


def _decode(
    buffer: NDArray[np.float32], rate: int, begin: int, control: Control, plan: Layout, channel: Channel
) -> tuple[_Burst, Report]:
    mode = plan.mode
    first = max(0, begin - round(MARGIN_S * rate))
    last = begin + round((plan.seconds * 1.001 + MARGIN_S) * rate)
    audio = resampled(buffer[first:last], rate, mode.rate)
    at = (begin - first) * mode.rate / rate
    learnt = learn(audio, mode.rate, at, mode.carriers, channel.drift)
    got = equalise(audio, mode.rate, at, learnt, mode.carriers, range(TRAINING, DATA_AT + plan.symbols))
    points, noise = got.points[DATA_AT - TRAINING :], got.noise[DATA_AT - TRAINING :]
    words, number, graded = Words({}), 0, list[Word | None]()
    for band, place in enumerate(plan.places):
        ldpc = code(place.band.rate)
        line = soft_bits(points[place.rows, place.columns], noise[place.rows, place.columns], place.band.load)
        stream = np.empty_like(line)
        stream[place.spread] = line
        decoded = ldpc.decode(stream[: place.words * ldpc.n].reshape(-1, ldpc.n))
        if control.graded:
            found = read_graded(decoded.bits, number, plan, band, control.total)
            words.count([word is not None for word in found], decoded.healed)
            graded += found
        else:
            read_words(decoded.bits, decoded.healed, number, plan, words)
        number += place.words
    report = Report(
        mode.name, 1, control.parts, words.words, words.hurt, words.healed, [], got.snr_db, got.drift * 1e6
    )
    return _Burst(control, words.chunks, plan.sizes, graded), report


def _add(into: Report, more: Report) -> None:
    into.frames += more.frames
    into.hurt += more.hurt
    into.healed += more.healed
    into.snr_db = min(into.snr_db, more.snr_db)
    if abs(more.drift_ppm) > abs(into.drift_ppm):
        into.drift_ppm = more.drift_ppm
