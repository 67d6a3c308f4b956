"""Makes characters visible that cannot be seen, turn a text round, or look like others (FAULTS P9, P10, P19)."""

import re
import unicodedata
from functools import cache

_WORD = re.compile(r"\w+")
_SEEN_SPACE = "\n\t"
# Letters and signs that have no shape though their category says that they do.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with each such character as ⟨U+202E⟩; line ends and tabs stay.

    A letter of another alphabet in a word with Latin ones is marked after it, since it may pass for one of them.
    """
    return _WORD.sub(_mark_strangers, "".join(map(_shown, text)))


def has_hidden(text: str) -> bool:
    """Whether `visible` would mark something."""
    return not (text.isascii() and text.isprintable()) and visible(text) != text


def one_line(text: str, most: int) -> str:
    """For a heading: visible, without line ends, and at most so many characters long."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _shown(character: str) -> str:
    if character in _SEEN_SPACE or (character.isascii() and character.isprintable()):
        return character
    is_unseen = character in _BLANK or unicodedata.category(character) in _UNSEEN or _is_selector(character)
    return _code(character) if is_unseen else character


def _mark_strangers(word: re.Match[str]) -> str:
    text = word.group()
    if text.isascii() or not any(character.isascii() and character.isalpha() for character in text):
        return text
    return "".join(
        f"{character}{_code(character)}" if _is_stranger(character) else character for character in text
    )


@cache
def _is_stranger(character: str) -> bool:
    return character.isalpha() and not unicodedata.name(character, "").startswith("LATIN")


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0000" <= character <= "\U000e0fff"


def _code(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"
