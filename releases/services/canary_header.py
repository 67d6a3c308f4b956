"""The header by which requests are a service's canary: its value is encrypted where it is stored.

It is in the clear only in memory, in Terraform's private working directory and state, and at the load balancer.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.conf import settings

from releases.domain.canary import CanaryHeader
from releases.domain.provisioning.settings import Settings
from terraform_runner.errors import EncryptedDamaged


def encrypt(service_id: UUID, value: str) -> str:
    """The value as it is stored: bound to its service, it means nothing in another place."""
    encrypted = settings.KEY_RING.encrypt(value.encode(), context=_context(service_id))
    return base64.urlsafe_b64encode(encrypted).decode()


def reveal(service_id: UUID, *given: Settings) -> dict[str, str]:
    """What the stored values in these settings stand for.

    Raises what ``KeyRing.decrypt`` raises: the key is not there any more, or the value was changed or moved.
    """
    stored = dict.fromkeys(one.canary_header_value for one in given if one.has_header)
    return {value: _decrypt(service_id, value) for value in stored}


def renew(service_id: UUID, stored: str) -> str:
    """The same value by the first key. Raises what ``reveal`` raises."""
    renewed = settings.KEY_RING.renew(_decode(stored), context=_context(service_id))
    return base64.urlsafe_b64encode(renewed).decode()


def settle(service_id: UUID, wanted: Settings, value: str, *, present: Sequence[Settings]) -> Settings:
    """The wanted settings with their header's value as it is stored.

    It is the one that was typed, or without one that of the first of the ``present`` settings that has any. A value
    that one of them has, the last one first, stays as it is stored there: only so it is seen that nothing changes.

    Raises ``InvalidCanary``, and what ``reveal`` raises.
    """
    if not wanted.has_header and not value:
        return replace(wanted, canary_header_value="")
    known = reveal(service_id, *present)
    clear = value or next(iter(known.values()), "")
    CanaryHeader(name=wanted.canary_header_name, value=clear)
    stored = next((stored for stored, known_as in reversed(known.items()) if known_as == clear), None)
    return replace(wanted, canary_header_value=stored or encrypt(service_id, clear))


def _decrypt(service_id: UUID, stored: str) -> str:
    clear: bytes = settings.KEY_RING.decrypt(_decode(stored), context=_context(service_id))
    return clear.decode()


def _decode(stored: str) -> bytes:
    try:
        return base64.b64decode(stored, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise EncryptedDamaged(
            "The stored value of the canary's header is damaged: it can be had from a backup."
        ) from error


def _context(service_id: UUID) -> bytes:
    return f"canary header of service {service_id}".encode()
