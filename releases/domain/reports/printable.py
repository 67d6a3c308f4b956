"""Text for a PDF, whose fonts are embedded ones: what they lack is named, so that nothing is lost or turned round."""

import unicodedata
from typing import Any

_HAS_SHAPE = (
    range(0x20, 0x7F),
    range(0xA1, 0xAD),
    range(0xAE, 0x180),
    range(0x391, 0x3A2),
    range(0x3A3, 0x3CF),
    range(0x400, 0x460),
    range(0x2013, 0x2015),
    range(0x2018, 0x201F),
    range(0x2190, 0x2194),
)
_ALSO = frozenset("\n\t•…‰€⟨⟩≤≥≠✓")


def printable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same JSON with each character that the fonts lack as ⟨U+4E2D⟩; Latin, Greek and Cyrillic letters stay."""
    match value:
        case str():
            return "".join(map(_shown, unicodedata.normalize("NFC", value)))
        case dict():
            return {name: printable(inner) for name, inner in value.items()}
        case list():
            return [printable(inner) for inner in value]
        case _:
            return value


def kept_characters() -> str:
    """All characters that stay as they are."""
    return "".join(chr(code) for codes in _HAS_SHAPE for code in codes) + "".join(sorted(_ALSO))


def _shown(character: str) -> str:
    code = ord(character)
    has_shape = character in _ALSO or any(code in codes for codes in _HAS_SHAPE)
    return character if has_shape else f"⟨U+{code:04X}⟩"
