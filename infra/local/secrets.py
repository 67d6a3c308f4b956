"""The secrets of one machine: made at the first start, kept in the data directory for this user only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.errors import LocalError


@dataclass(frozen=True, kw_only=True)
class LocalSecrets:
    """Django's key, and the password of the demo's people."""

    secret_key: str
    demo_password: str


def load_secrets(data_dir: Path) -> LocalSecrets:
    """Reads ``data_dir/secrets.json`` (0600), or makes it. Raises LocalError when it is damaged."""
    path = data_dir / "secrets.json"
    if not path.exists():
        _write(
            path, LocalSecrets(secret_key=secrets.token_urlsafe(48), demo_password=secrets.token_urlsafe(9))
        )
    try:
        return LocalSecrets(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise LocalError(f"{path} is damaged. Without it new secrets are made: remove it.") from error


def _write(path: Path, made: LocalSecrets) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(made), file)
    unfinished.rename(path)
