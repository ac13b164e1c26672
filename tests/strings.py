"""Strings that break things: one list for every test of words."""

from __future__ import annotations

import random

_random = random.Random(7)

NASTY: dict[str, str] = {
    "one byte": "x",
    "one digit": "0",
    "nul": "\0",
    "nuls": "\0" * 24,
    "all ASCII bytes": "".join(map(chr, range(128))),
    "all Latin-1 characters, part 1": "".join(map(chr, range(128, 192))),
    "all Latin-1 characters, part 2": "".join(map(chr, range(192, 256))),
    "seven bytes": "1234567",
    "one patch": "12345678",
    "one patch and a byte": "123456789",
    "160 bytes": "".join(_random.choices("abcdefghij klmnop qrstuvwxyz", k=159)) + ".",
    "161 bytes": "".join(_random.choices("abcdefghij klmnop qrstuvwxyz", k=160)) + ".",
    "one letter, 160 times": "a" * 160,
    "spaces around": "  spaces around  ",
    "line breaks": "a\nb\r\nc\td\u2028e",
    "quotes": "\"'`´’“”«»",
    "separators of a gist": "a|b|c||d|",
    "JSON": '{"id": "x", "text": null}',
    "SQL": "Robert'); DROP TABLE memories;--",
    "path": "../../etc/passwd",
    "emoji": "🐕 🤷‍♀️ 👨‍👩‍👧‍👦 🏳️‍🌈 🇦🇹",
    "combining accents": "Z̷a̵l̸g̴o̶ é é",
    "right to left": "שלום עולם مرحبا بالعالم",
    "a change of direction": "abc \u202eכלב\u202c def",
    "Japanese": "私の犬の名前はポトラです",
    "Korean": "내 강아지 이름은 포톨라",
    "Thai": "สุนัขของฉันชื่อโปโตลา",
    "Hindi": "मेरे कुत्ते का नाम पोटोला है",
    "Russian": "Мою собаку зовут Потола",
    "zero width": "a\u200bb\ufeffc\u00add",
    "edges of Unicode": "\ud7ff\ue000\ufffd\uffff\U0010ffff",
    "password": "xK9#mP2$vL5@nQ8!wR3%",
    "IBAN": "AT61 1904 3002 3457 3201",
    "phone": "+43 660 1234567",
    "e-mail": "o.reilly+news@sub.example.co.uk",
    "URL": "https://example.org/a/b?q=%F0%9F%90%95&x=1#frag",
    "rare name": "Przemysław Gżegżółka-Szczebrzeszyński",
    "speech recognizer": "um so my dog is called potola you know and hes like three",
    "number": "3.14159265358979323846264338327950288419716939937510",
}
"""Texts that `Memory.add(infer=False)` must take, but for the blank ones. Name → text."""

NASTY_BYTES: dict[str, bytes] = {
    "all byte values, part 1": bytes(range(160)),
    "all byte values, part 2": bytes(range(160, 256)),
    "160 random bytes": _random.randbytes(160),
    "160 bytes of 255": b"\xff" * 160,
    "half of a character": "🐕".encode()[:2],
}
"""Bytes that are no text: the codec must bear them."""

LONG_TEXT = " ".join(
    f"On day {day} {name} bought {count} {thing} in {place}, which cost {count * 7} euros."
    for day, (name, count, thing, place) in enumerate(
        (
            _random.choice(("Ana", "Potola", "Zsófia", "Björn", "Nguyễn")),
            _random.randint(1, 999),
            _random.choice(("apples", "pens", "bicycles", "left socks")),
            _random.choice(("Graz", "Łódź", "Reykjavík", "São Paulo")),
        )
        for _ in range(75)
    )
)
"""About 5 kB of plain sentences."""

FACTS = (
    "My dog's name is Potola",
    "My sister Marta lives in Lisbon",
    "I am allergic to peanuts",
    "My bike is a red Brompton",
    "My daughter Lea was born on 4 May 2019",
    "I work as a nurse at the city hospital",
    "My favourite tea is Lapsang Souchong",
    "The code of the garage is 4711",
    "I play the cello on Thursdays",
    "My husband Jonas hates coriander",
)
"""Ten facts as people say them."""
