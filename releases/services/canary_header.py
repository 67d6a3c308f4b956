"""The header by which requests are a service's canary: its value is encrypted where it is stored."""

import base64
import binascii
from uuid import UUID

from django.conf import settings

from releases.domain.canary import CanaryHeader
from releases.models import Service
from terraform_runner.errors import EncryptedDamaged


def encrypt(service_id: UUID, value: str) -> str:
    """The value as it is stored: bound to its service, it means nothing in another place."""
    encrypted = settings.KEY_RING.encrypt(value.encode(), context=_context(service_id))
    return base64.urlsafe_b64encode(encrypted).decode()


def header_of(service: Service) -> CanaryHeader | None:
    """The service's header, in the clear: only in memory.

    Raises what ``KeyRing.decrypt`` raises: its key is not there any more, or the value was changed or moved.
    """
    if not service.canary_header_name:
        return None
    try:
        encrypted = base64.b64decode(service.canary_header_value, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise EncryptedDamaged("The value of the canary's header is damaged: set a new one.") from error
    value: bytes = settings.KEY_RING.decrypt(encrypted, context=_context(service.pk))
    return CanaryHeader(name=service.canary_header_name, value=value.decode())


def _context(service_id: UUID) -> bytes:
    return f"canary header of service {service_id}".encode()
