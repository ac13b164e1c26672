"""What each expression of time means: patterns, in order, and the span that each stands for."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .timewords import SEASONS, WEEKDAYS, day_number, month_number, quantity, time_pattern, year_number

__all__ = ["DAY", "Context", "Found", "Resolver", "hint", "rules"]

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression is read against: midnight of today, the tense (-1 past, 1 future, 0 unknown)."""

    today: datetime  # midnight
    tense: int  # -1 past, 1 future, 0 unknown
    day_first: bool


Found = tuple[datetime, datetime] | tuple[datetime, datetime, bool]
Resolver = Callable[[re.Match[str], Context], Found | None]


def _add_months(day: datetime, count: int) -> datetime:
    """The first of the month `count` months away."""
    years, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return day.replace(year=years, month=month + 1, day=1)


def _month(first: datetime) -> Found:
    return first, _add_months(first, 1)


def _year(day: datetime, year: int) -> Found:
    return day.replace(year=year, month=1, day=1), day.replace(year=year + 1, month=1, day=1)


def _one_day(day: datetime) -> Found:
    return day, day + DAY


def _nearest(candidates: list[datetime], context: Context) -> datetime:
    """The candidate that the tense allows, nearest to today."""
    today = context.today
    allowed = [day for day in candidates if context.tense == 0 or (day - today).days * context.tense >= 0]
    return min(allowed or candidates, key=lambda day: abs(day - today))


def _calendar_day(context: Context, month: int, day: int, year: int | None) -> Found:
    today = context.today
    if year is not None:
        return _one_day(today.replace(year=year, month=month, day=day))
    years = [today.year + step for step in (-1, 0, 1)]
    leap = [each for each in years if (month, day) != (2, 29) or each % 4 == 0]
    return _one_day(_nearest([today.replace(year=each, month=month, day=day) for each in leap], context))


def _written_date(match: re.Match[str], context: Context) -> Found | None:
    groups = match.groupdict()
    year = year_number(groups["y"]) if groups.get("y") else None
    return _calendar_day(context, month_number(groups["m"]), day_number(groups["d"]), year)


def _numeric_date(match: re.Match[str], context: Context) -> Found | None:
    first, second, year = int(match["a"]), int(match["b"]), match["y"]
    full = None if not year else int(year) + (0 if len(year) == 4 else 2000)
    if full is None and (max(first, second) <= 4 or {first, second} == {24, 7}):
        return None  # a fraction, or round the clock
    day_first = context.day_first or match["sep"] == "." or first > 12
    month, day = (second, first) if day_first and second <= 12 else (first, second)
    return _calendar_day(context, month, day, full)


def _iso_date(match: re.Match[str], context: Context) -> Found | None:
    year, month = int(match["y"]), int(match["m"])
    if match["d"]:
        return _one_day(context.today.replace(year=year, month=month, day=int(match["d"])))
    return _month(context.today.replace(year=year, month=month, day=1))


def _month_of_year(match: re.Match[str], context: Context) -> Found | None:
    first = context.today.replace(year=year_number(match["y"]), month=month_number(match["m"]), day=1)
    return _month(first)


def _month_alone(match: re.Match[str], context: Context) -> Found | None:
    month, today = month_number(match["m"]), context.today
    return _month(
        _nearest([today.replace(year=today.year + step, month=month, day=1) for step in (-1, 0, 1)], context)
    )


def _season(day: datetime, name: str, year: int) -> Found:
    first = day.replace(year=year, month=SEASONS[name.lower()], day=1)
    return first, _add_months(first, 3)


def _season_of_year(match: re.Match[str], context: Context) -> Found | None:
    return _season(context.today, match["s"], year_number(match["y"]))


def _decade(match: re.Match[str], context: Context) -> Found | None:
    tens = "twenties thirties forties fifties sixties seventies eighties nineties".split()
    digits = re.search(r"\d+", match["n"])
    number = int(digits.group()) if digits else 10 * (tens.index(match["n"].lower()) + 2)
    year = number if number > 99 else 1900 + number if number >= 30 else 2000 + number
    return _year(context.today, year)[0], _year(context.today, year + 9)[1], True


def _whole_year(match: re.Match[str], context: Context) -> Found | None:
    return _year(context.today, year_number(match["y"]))


DAY_WORDS = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1, "last night": -1}


def _day_word(match: re.Match[str], context: Context) -> Found | None:
    word = match["w"].lower()
    step = -2 if "before yesterday" in word else 2 if "after tomorrow" in word else DAY_WORDS.get(word, 0)
    return _one_day(context.today + step * DAY)


def _ago(match: re.Match[str], context: Context) -> Found | None:
    return _away(context, match["n"], match["u"], -1, 0.5 if match["half"] else 0.0)


def _ahead(match: re.Match[str], context: Context) -> Found | None:
    return None if context.tense < 0 else _away(context, match["n"], match["u"], 1)


def _past_stretch(match: re.Match[str], context: Context) -> Found | None:
    found = _away(context, match["n"], match["u"], -1)
    return found and (found[0], context.today + DAY, True)


def _away(context: Context, number: str, unit: str, sign: int, more: float = 0.0) -> Found | None:
    """So many units away: the day for days and weeks, the month for months, the year for years."""
    count, vague = quantity(number)
    count += more
    unit, today = unit.lower().rstrip("s"), context.today
    found: Found
    if unit in ("day", "night"):
        found = _one_day(today + sign * round(count) * DAY)
    elif unit in ("week", "fortnight"):
        found = _one_day(today + sign * round(count * (7 if unit == "week" else 14)) * DAY)
    elif unit == "weekend":
        found = _unit_span(context, "weekend", sign * round(count))
    elif unit == "month" or count != int(count):
        found = _month(_add_months(today, sign * round(count * (1 if unit == "month" else 12))))
    else:
        found = _year(today, today.year + sign * round(count * (1 if unit == "year" else 10)))
    return _add_slack(found, round(count)) if vague else found


def _add_slack(found: Found, count: int) -> Found:
    length = (found[1] - found[0]) * max(1, count // 2)
    return found[0] - length, found[1] + length, True


_STEPS = {"last": -1, "past": -1, "previous": -1, "this": 0, "coming": 1, "next": 1, "following": 1}


def _step(match: re.Match[str]) -> int:
    """How many units from this one: "last" -1, "the … before last" -2."""
    groups = match.groupdict()
    if groups.get("twice"):
        return -2 if "before" in groups["twice"].lower() else 2
    words = groups["step"].lower().split()
    return _STEPS[words[-1]]


def _unit(match: re.Match[str], context: Context) -> Found | None:
    return _unit_span(context, match["u"].lower().rstrip("s"), _step(match))


def _unit_span(context: Context, unit: str, step: int) -> Found:
    today = context.today
    monday = today - today.weekday() * DAY
    if unit == "week":
        return monday + 7 * step * DAY, monday + 7 * (step + 1) * DAY
    if unit == "fortnight":
        return monday + 14 * step * DAY, monday + 14 * (step + 1) * DAY
    if unit == "weekend":
        # On a Saturday or Sunday "last weekend" is the one before, as on any other day.
        saturday = monday + (5 + 7 * step) * DAY
        return saturday, saturday + 2 * DAY
    if unit == "month":
        return _month(_add_months(today, step))
    return _year(today, today.year + step)


def _weekend(_match: re.Match[str], context: Context) -> Found | None:
    """ "At the weekend" is the one that the tense says."""
    in_it = context.today.weekday() >= 5
    return _unit_span(context, "weekend", -1 if context.tense < 0 and not in_it else 0)


def _stepped_weekday(match: re.Match[str], context: Context) -> Found | None:
    number, step = _weekday_number(match["d"]), _step(match)
    today = context.today
    ahead = (number - today.weekday()) % 7  # 0 is today
    if step < 0:
        return _one_day(today - ((today.weekday() - number - 1) % 7 + 1 + 7 * (-step - 1)) * DAY)
    words = match.groupdict().get("step") or ""
    if step == 0 or "coming" in words.lower():
        return _one_day(today + ahead * DAY)
    monday = today - today.weekday() * DAY
    return _one_day(monday + (7 * step + number) * DAY)


def _bare_weekday(match: re.Match[str], context: Context) -> Found | None:
    number, today = _weekday_number(match["d"]), context.today
    if context.tense < 0:
        return _one_day(today - ((today.weekday() - number - 1) % 7 + 1) * DAY)
    return _one_day(today + ((number - today.weekday() - 1) % 7 + 1) * DAY)


def _week_on(match: re.Match[str], context: Context) -> Found | None:
    ahead = (_weekday_number(match["d"]) - context.today.weekday() - 1) % 7 + 1
    return _one_day(context.today + (ahead + 7) * DAY)


def _weekday_number(name: str) -> int:
    return next(place for place, day in enumerate(WEEKDAYS) if day.startswith(name.lower().strip()[:3]))


def _stepped_month(match: re.Match[str], context: Context) -> Found | None:
    month, step, today = month_number(match["m"]), _step(match), context.today
    first = today.replace(month=month, day=1)
    if step < 0:
        while first.replace(day=1) >= today.replace(day=1):
            first = first.replace(year=first.year - 1)
        return _month(_add_months(first, 12 * (step + 1)))
    if step > 0 and first <= today.replace(day=1):
        first = first.replace(year=first.year + 1)
    return _month(first)


def _stepped_season(match: re.Match[str], context: Context) -> Found | None:
    step, today = _step(match), context.today
    options = [_season(today, match["s"], today.year + years) for years in (-2, -1, 0, 1, 2)]
    if step < 0:
        return [option for option in options if option[1] <= today][step]
    if step > 0:
        return next(option for option in options if option[0] > today)
    return min(options, key=lambda option: abs(option[0] + (option[1] - option[0]) / 2 - today))


def _season_over(match: re.Match[str], context: Context) -> Found | None:
    """ "In the spring", of what was: the last one that began; of a habit, no time."""
    options = [_season(context.today, match["s"], context.today.year + years) for years in (-1, 0)]
    begun = [option for option in options if option[0] <= context.today]
    return begun[-1] if context.tense < 0 and begun else None


def _day_of_month(match: re.Match[str], context: Context) -> Found | None:
    day, today = day_number(match["d"]), context.today
    months = [_add_months(today, step) for step in (-1, 0, 1)]
    return _one_day(
        _nearest(
            [first.replace(day=day) for first in months if day <= ((_add_months(first, 1) - DAY).day)],
            context,
        )
    )


# In order: what is found first keeps its place, so the longer and surer come first.
_PATTERNS: tuple[tuple[str, Resolver, bool], ...] = (
    (r"\b(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?:-(?P<d>[0-3]\d))?\b(?![-\d])", _iso_date, True),
    (
        r"(?<![\d/.:])(?P<a>\d{1,2})(?P<sep>[/.])(?P<b>\d{1,2})(?:(?P=sep)(?P<y>(?:19|20)\d\d|"
        r"\d\d))(?![\d/.])",
        _numeric_date,
        True,
    ),
    (r"(?<![\d/.:])(?P<a>\d{1,2})(?P<sep>/)(?P<b>\d{1,2})(?P<y>)(?![\d/])", _numeric_date, True),
    (r"\b(?:the )?(?P<d><day>)(?: of)? (?P<m><month>)(?:,? (?:of |in )?(?P<y><year>))?", _written_date, True),
    (r"\b(?P<m><month>),? (?:of )?(?P<y><year>)", _month_of_year, True),
    (r"\b(?P<m><month>) (?:the )?(?P<d><day>)(?:,? (?:of |in )?(?P<y><year>))?", _written_date, True),
    (r"\b(?P<s><season>)(?: of|,)? (?P<y><year>)", _season_of_year, True),
    (
        r"\bthe (?:early |late |mid[ -]?)?'?(?P<n>(?:19|20)?\d0s|(?:twen|thir|for|fif|six|seven|"
        r"eigh|nine)ties)\b",
        _decade,
        True,
    ),
    (
        r"\b(?P<w>the day before yesterday|the day after tomorrow|yesterday|tomorrow|today|"
        r"tonight|(?<!my )(?<!our )(?<!his )(?<!her )(?<!the )last night(?! (?:shift|of|at)\b)|"
        r"this (?:morning|afternoon|evening))<part>\b",
        _day_word,
        False,
    ),
    (
        r"\b(?P<n><number>) (?P<u><unit>)(?P<half> and a half)? (?:ago|back|earlier)\b(?! home| "
        r"to| from| in| at)",
        _ago,
        False,
    ),
    (r"\b(?:in|within) (?P<n><number>) (?P<u><unit>)\b(?! in a row)", _ahead, False),
    (r"\b(?P<n><number>) (?P<u><unit>) from (?:now|today)\b", _ahead, False),
    (r"\b(?:the|these) (?:last|past) (?P<n><number>) (?P<u><unit>)\b", _past_stretch, False),
    (r"\b(?:the )?(?P<u>week|weekend|month|year) (?P<twice>before last|after next)\b", _unit, False),
    (r"\b(?:the )?(?P<d><weekday>) (?P<twice>before last|after next)\b", _stepped_weekday, False),
    (
        r"\b(?P<step>last|(?:this|the) past|past|this coming|this|next|the coming|the previous) "
        r"(?P<d><weekday>)<part>",
        _stepped_weekday,
        False,
    ),
    (
        r"\b(?:(?:early|late|later|earlier|mid) )?(?P<step>last|this past|this coming|this|next|the coming|"
        r"the previous) (?P<u>week|weekend|fortnight|month|year)\b(?! old)",
        _unit,
        False,
    ),
    (
        r"\b(?:(?:early|late) )?(?P<step>last|this past|this coming|this|next) (?P<m><month>)",
        _stepped_month,
        False,
    ),
    (r"\b(?P<step>last|this past|this coming|this|next) (?P<s><season>)\b", _stepped_season, False),
    (r"\b(?:back in|in|over|during) (?:the )?(?P<s><season>)\b", _season_over, True),
    (r"\b(?:at|on|over|for|during|by) the weekend\b", _weekend, False),
    (r"\b(?:a week (?:on|from) (?P<d><weekday>))", _week_on, False),
    (r"\b(?:on )?(?P<d><weekday>) week\b", _week_on, False),
    (r"(?<!every )(?<!each )(?<!most )\b(?:on )?(?P<d><weekday>)<part>(?!s\b)", _bare_weekday, False),
    (
        r"\b(?:in|since|until|till|by|from|during|before|after|around|back in|early|late|mid|of|mid-|for)[ -]"
        r"(?P<m><month>)(?! (?:be|have|not|\d))",
        _month_alone,
        True,
    ),
    (
        r"\b(?P<m>january|february|july|september|october|november|december|(?-i:March|April|May|"
        r"June|August))\b(?!'s| (?:is|was|has|have|says?|said|loves|likes|wants|got)\b)",
        _month_alone,
        True,
    ),
    (
        r"(?:^|\b(?:in|since|until|till|by|from|to|during|before|after|around|about|of|early|late|mid|year|"
        r"class of|and)[ -])(?P<y><year>)(?! (?:pounds|dollars|euros|people|steps|words|calories|miles|km))",
        _whole_year,
        True,
    ),
    (
        r"\b(?:on|by|until|till|before|since|from) the (?P<d><day>)(?=$|[,.;!?)]| (?:at|in|with|"
        r"and|to|for|of "
        r"(?:this|next|last) month)\b)",
        _day_of_month,
        False,
    ),
)


@functools.cache
def rules() -> tuple[tuple[re.Pattern[str], Resolver, bool], ...]:
    """The expressions in order: a pattern, what it means, and whether it names its date itself.

    What is found first keeps its place, so the longer and surer come first.
    """
    return tuple((time_pattern(source), resolve, explicit) for source, resolve, explicit in _PATTERNS)


@functools.cache
def hint() -> re.Pattern[str]:
    """What every expression holds; most sentences of talk have none of it and are done with."""
    return time_pattern(
        r"\d|\b(?:<month>|<weekday>|yesterday|tomorrow|today|tonight|last|this|next|ago|back|earlier|weekend|"
        r"fortnights?|weeks?|months?|years?|days?|spring|summer|autumn|fall|winter|nineteen|"
        r"twenty|two thousand|\w+ties|"
        r"the \w+(?:st|nd|rd|th))\b"
    )
