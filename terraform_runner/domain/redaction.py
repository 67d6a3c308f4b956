"""Takes secrets out of text before it is stored or shown, whole: no part of a secret stays."""

import json
import re
from collections.abc import Callable, Iterable

MASK = "(masked)"

# Shorter values are words, numbers or switches: masking them everywhere would hide what people need to read. They are
# masked where they are a whole value, in quotes.
SHORTEST_SECRET = 8

# What is secret by its shape. A group called "secret" is what is masked; without one it is the whole match.
PATTERNS = (
    # AWS access key ids: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    r"(?i)\b(?:aws_?)?(?:secret_?access_?key|session_?token|security_?token)\b[\"']?\s*[:=]\s*[\"']?(?P<secret>[^\s\"',;&]+)",
    r"(?i)\bx-amz-(?:signature|security-token|credential)=(?P<secret>[^\s\"'&]+)",
    r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(?P<secret>(?:basic|bearer|aws4-hmac-sha256)\s[^\"'\r\n]+)",
    r"://[^\s/:@]*:(?P<secret>[^\s/@]+)@",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>(?:.|\n)*?)(?:-----END|\Z)",
)


class Redactor:
    """Masks the given secrets and whatever matches PATTERNS.

    A secret of several lines is masked line by line, since output comes so; and as it looks inside JSON and HCL.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._given = frozenset(secrets)
        written = {_written(form) for secret in self._given for form in _forms(secret) if form}
        longest_first = sorted(written, key=lambda form: (-len(form), form))
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if written else None
        self._patterns = tuple(map(re.compile, PATTERNS))

    def knowing(self, secrets: Iterable[str]) -> "Redactor":
        """One that masks these secrets too."""
        return Redactor(self._given.union(secrets))

    def knows(self, text: str) -> bool:
        """Whether the whole text is one of the given secrets, however short."""
        return bool(text) and text in self._given

    def mask(self, text: str, replace: Callable[[str], str] = lambda _: MASK) -> str:
        """The text with every secret replaced by what ``replace`` makes of it."""
        if self._secrets is not None:
            text = self._secrets.sub(lambda match: replace(match.group()), text)
        for pattern in self._patterns:
            text = pattern.sub(lambda match: _replace_secret(match, replace), text)
        return text


def _forms(secret: str) -> Iterable[str]:
    for line in (secret, *secret.splitlines()):
        yield line.strip()
        yield json.dumps(line.strip())[1:-1]


def _written(form: str) -> str:
    return form if len(form) >= SHORTEST_SECRET else f'"{form}"'


def _replace_secret(match: re.Match[str], replace: Callable[[str], str]) -> str:
    if "secret" not in match.re.groupindex:
        return replace(match.group())
    start, end = (position - match.start() for position in match.span("secret"))
    whole = match.group()
    return whole[:start] + replace(whole[start:end]) + whole[end:]
