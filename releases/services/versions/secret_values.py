"""Secret values of environment variables: encrypted where they are stored, in the clear only in memory.

A token is bound to its service and to the variable's name, so that it means nothing in another place. Equal values keep
their token wherever they are copied: only so two versions with the same secrets are equal.
"""

import base64
import binascii
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings

from releases.domain.versions.configuration import Configuration
from releases.domain.versions.environment import secret, token_of
from releases.models import Service
from terraform_runner.errors import EncryptedDamaged


def encrypt(service_id: UUID, name: str, value: str) -> dict[str, str]:
    """A variable's secret value as it is stored."""
    encrypted = settings.KEY_RING.encrypt(value.encode(), context=_context(service_id, name))
    return secret(base64.urlsafe_b64encode(encrypted).decode())


def reveal(service_id: UUID, *configurations: Configuration) -> dict[str, str]:
    """What the tokens in these configurations stand for.

    Raises what ``KeyRing.decrypt`` raises: the key is not there any more, or the token was changed or moved.
    """
    revealed: dict[str, str] = {}
    for configuration in configurations:
        for name, value in configuration.get("environment", {}).items():
            token = token_of(value)
            if token is not None and token not in revealed:
                revealed[token] = _decrypt(service_id, name, token)
    return revealed


def renew(service_id: UUID, name: str, token: str) -> str:
    """The token of the same value by the first key. Raises what ``reveal`` raises."""
    renewed = settings.KEY_RING.renew(_decode(name, token), context=_context(service_id, name))
    return base64.urlsafe_b64encode(renewed).decode()


def recognise(service: Service, environment: Mapping[str, str]) -> dict[str, object]:
    """Variables that were read at AWS, as they are stored.

    What one of the service's versions has under the same name stays as it is there, a token or a plain text; any other
    value is somebody else's, and may be secret.
    """
    known = _known(service)
    return {
        name: known[name, value] if (name, value) in known else encrypt(service.pk, name, value)
        for name, value in environment.items()
    }


def _known(service: Service) -> dict[tuple[str, str], object]:
    """The stored form of each variable of both colours and of the last release, which may be half in place."""
    last = service.releases.order_by("-number").first()
    configurations = [service.blue_configuration, service.green_configuration]
    configurations += [last.configuration] if last else []
    revealed = reveal(service.pk, *configurations)
    return {
        (name, revealed.get(token_of(value) or "", str(value))): value
        for configuration in configurations
        for name, value in configuration.get("environment", {}).items()
    }


def _decrypt(service_id: UUID, name: str, token: str) -> str:
    clear: bytes = settings.KEY_RING.decrypt(_decode(name, token), context=_context(service_id, name))
    return clear.decode()


def _decode(name: str, token: str) -> bytes:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise EncryptedDamaged(f"The secret value of {name} is damaged: write a new one.") from error


def _context(service_id: UUID, name: str) -> bytes:
    return f"environment variable {name} of service {service_id}".encode()
