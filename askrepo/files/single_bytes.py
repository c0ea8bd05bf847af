# ruff: noqa: RUF001
"""Which encoding of one byte a letter explains a text best, by the letters that languages use and how words look."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cache, lru_cache

SAMPLE_BYTES = 2048
"""More adds no evidence, and every language takes time."""
# What people write of each language beside ASCII, the commonest letters first; how many of a hundred letters those are,
# roughly, because code tells little of that; and the encodings in use.
_WESTERN = ("cp1252", "cp850")
_CENTRAL = ("cp1250", "iso8859-2", "cp852")
_LANGUAGES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("üäöß", 6, _WESTERN),
    ("éàèêçâîôùûëïœ", 6, _WESTERN),
    ("óíáéñú¿¡ü", 6, _WESTERN),
    ("ãçéáêóíõúàâô", 6, _WESTERN),
    ("àèùòéì", 5, _WESTERN),
    ("óàéèíçïúüò", 5, _WESTERN),
    ("äöåéü", 6, _WESTERN),
    ("øåæéöä", 6, _WESTERN),
    ("íðáöéúþóýæ", 3, _WESTERN),
    ("ëéïüèöó", 3, _WESTERN),
    ("ąłężóśćńź", 7, _CENTRAL),
    ("íáéěřčýžšůúťďňó", 7, _CENTRAL),
    ("áíéčšýžúťľôňďóĺäŕ", 7, _CENTRAL),
    ("áéőóöíüúű", 7, _CENTRAL),
    ("ăţîşâ", 7, _CENTRAL),
    ("čšžćđ", 7, _CENTRAL),
    ("ıüşğçöâ", 7, ("cp1254", "iso8859-9", "cp857")),
    ("ėšųąžįčūę", 7, ("cp1257", "iso8859-13")),
    ("āīēšņūļžģķč", 7, ("cp1257", "iso8859-13")),
    ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", 100, ("cp1251", "koi8-r", "cp866", "iso8859-5")),
    ("оанитвреісклудмпзяьбгчхйюїжцшєфщґ", 100, ("cp1251", "koi8-u", "iso8859-5")),
    ("аоиетнрсвлкдпмзгяъубчшщжцхюйьф", 100, ("cp1251", "iso8859-5")),
    ("аоиенрстувдкјмлпзгбљњћчшжцхђфџ", 100, ("cp1251", "iso8859-5")),
    ("αοιετσνηυρπκμλςάέίόήγδώωθύχφβξζψϊϋΐΰ", 100, ("cp1253", "iso8859-7")),
    ("יוהלאתרבמשנדפחקעטסגכזצםןךףץ", 100, ("cp1255", "iso8859-8")),
    ("اليمنرتبوةعدسفهكقأحجشصىخطذضإغئزثءؤظآ", 100, ("cp1256", "iso8859-6")),
    ("านรอก่เงมยลวดท้สตะปบคหิีัแจพชขใไุืโ์ูผถ็ซณธศภษำญฐฟ๊ฎฏฉฮฬฆฝฑฒฌฤๆฯํ", 100, ("cp874",)),
)
ENCODINGS = tuple(dict.fromkeys(encoding for _, _, encodings in _LANGUAGES for encoding in encodings))
"""All that can be told, the likelier ones first."""
# Bits that a text of an encoding loses against the likeliest one: how seldom people use it now.
_RARITY = {"cp1252": 0.0, "cp1251": 1.0, "cp1254": 2.0, "cp1250": 4.0, "iso8859-2": 4.5, "cp850": 6.0, "cp852": 6.0,
    "cp857": 6.0, "cp1257": 3.0, "iso8859-13": 4.0, "cp1255": 6.0, "iso8859-8": 7.0, "cp1256": 4.0, "iso8859-6": 5.0,
    "cp874": 3.0}  # fmt: skip
_USUAL_RARITY = 2.0
# Bits for what is no letter of the language.
_OTHER_LETTER, _MARK, _ODD, _UNDEFINED = 12.0, 7.0, 14.0, 18.0
_QUOTES = frozenset("«»“”„‘’–—…№©®°§·•€\u00a0")
# A capital inside a word; a letter of another script beside one of ASCII; such a letter alone, which for Latin ones is
# usual.
_INNER_CAPITAL, _MIXED_SCRIPTS, _ALONE = 4.0, 7.0, 3.0
_CAPITAL = 1.5
_WORD = re.compile(r"[A-Za-z]?[^\x00-\x7f][A-Za-z\x80-\uffff]{0,40}")


def best_single_byte(sample: bytes) -> tuple[str, float] | None:
    """The encoding that explains the letters best, and the bits that they take; None when none can."""
    sample = sample[:SAMPLE_BYTES]
    costs = {encoding: cost for encoding in ENCODINGS if (cost := _cost(sample, encoding)) is not None}
    if not costs:
        return None
    best = min(costs, key=lambda encoding: costs[encoding])
    return best, costs[best]


def _cost(sample: bytes, encoding: str) -> float | None:
    """Bits that the text takes in the encoding, written in the language that suits it best."""
    text = sample.decode(encoding, "replace")
    letters = sum(letter > "\x7f" for letter in text)
    if text.count("\ufffd") * 100 > letters:
        return None
    words = _WORD.findall(text)
    languages = [number for number, (_, _, encodings) in enumerate(_LANGUAGES) if encoding in encodings]
    return min(sum(_word_cost(word, number) for word in words) for number in languages) + _RARITY.get(
        encoding, _USUAL_RARITY
    )


@lru_cache(maxsize=50_000)
def _word_cost(word: str, language: int) -> float:
    bits = _bits(language)
    is_latin = _LANGUAGES[language][1] < 100
    cost = 0.0
    for at, letter in enumerate(word):
        if letter <= "\x7f":
            continue
        before, after = word[at - 1 : at], word[at + 1 : at + 2]
        cost += _letter_cost(letter, bits, is_between=before.isalpha() and after.isalpha())
        if letter.isupper():
            cost += _INNER_CAPITAL if before.islower() else _CAPITAL * (not before)
        elif before.isupper() and before > "\x7f" and at > 1 and word[at - 2].isalpha():
            cost += _INNER_CAPITAL
        if letter.isalpha():
            beside = sum(other.isascii() and other.isalpha() for other in (before, after))
            is_alone = not any(other > "\x7f" for other in (before, after))
            cost += 0 if is_latin else _MIXED_SCRIPTS * beside + _ALONE * is_alone
            cost -= _ALONE if is_latin and is_alone else 0
    return cost


def _letter_cost(letter: str, bits: dict[str, float], *, is_between: bool) -> float:
    if letter.lower() in bits:
        return bits[letter.lower()]
    if letter == "\ufffd":
        return _UNDEFINED
    if letter in _QUOTES:
        return _MARK + (5.0 if is_between and letter != "’" else 0.0)
    if unicodedata.category(letter) in {"Cc", "Cn", "Co"}:
        return _UNDEFINED
    if letter.isalpha():
        return _OTHER_LETTER
    return _ODD


@cache
def _bits(language: int) -> dict[str, float]:
    """What each letter of a language costs."""
    letters, share, _ = _LANGUAGES[language]
    weights = [1 / (rank + 3) for rank in range(len(letters))]
    total = sum(weights) * 100 / share
    return {letter: -math.log2(weight / total) for letter, weight in zip(letters, weights, strict=True)}
