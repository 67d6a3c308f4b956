"""The one account and region that the sandbox plays, and its credentials (which open nothing else)."""

ACCOUNT_ID = "123456789012"
REGION = "eu-central-1"
ACCESS_KEY_ID = "sandbox"
SECRET_ACCESS_KEY = "sandbox"  # noqa: S105 - moto checks no signature
