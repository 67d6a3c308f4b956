"""The secrets of one machine: made at the first start, kept in the data directory for this user only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local.errors import LocalError
from terraform_runner.encryption import make_key


@dataclass(frozen=True, kw_only=True)
class LocalSecrets:
    """Django's key, the keys that encrypt what is stored, and the password of the demo's people."""

    secret_key: str
    encryption_keys: str
    demo_password: str


def load_secrets(data_dir: Path) -> LocalSecrets:
    """Reads ``data_dir/secrets.json`` (0600), or makes it. Raises LocalError when it is damaged."""
    path = data_dir / "secrets.json"
    if not path.exists():
        _write(path, _make())
    try:
        known = json.loads(path.read_text())
        if "encryption_keys" not in known:  # the file was made before anything was encrypted
            _write(path, LocalSecrets(**known, encryption_keys=_make().encryption_keys))
            known = json.loads(path.read_text())
        return LocalSecrets(**known)
    except (ValueError, TypeError) as error:
        raise LocalError(
            f"{path} is damaged. Bring it back from a backup: without its keys, what is stored encrypted is lost."
        ) from error


def _make() -> LocalSecrets:
    return LocalSecrets(
        secret_key=secrets.token_urlsafe(48),
        encryption_keys=make_key("first"),
        demo_password=secrets.token_urlsafe(9),
    )


def _write(path: Path, made: LocalSecrets) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(made), file)
    unfinished.rename(path)
