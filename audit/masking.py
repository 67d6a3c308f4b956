"""What must not get into the trail, where it would stay for ever: masked by its field's name, or by its look."""

import re
from typing import Any

MASK = "(masked)"

_SECRET_NAME = re.compile(
    r"(^|[._-])(password|passphrase|passwd|pwd|secret|secret_?key|token|api_?key|private_?key|signing_?key|"
    r"authorization|credentials?)$",
    re.IGNORECASE,
)
_SECRET_LOOKS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"  # PEM
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS: an access key's id
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"  # a JSON Web Token
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[\w-]{16,}"  # GitHub, GitLab, Slack
    r"|\bbg_[\w-]{40,}"  # a token of our own
    r"|(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"  # name and password in an address
    r"|(?i:(?<=bearer ))[\w.~+/=-]{16,}",  # a header's value
    re.DOTALL,
)


def masked(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same JSON without secrets, and without NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, dict):
        return {name: _field(name, inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inner) for inner in value]
    return value


def masked_text(text: str) -> str:
    """A text without what looks like a secret."""
    return _SECRET_LOOKS.sub(MASK, text.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _field(name: Any, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str) and value and isinstance(name, str) and _SECRET_NAME.search(name):
        return MASK
    return masked(value)
