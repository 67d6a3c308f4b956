"""The shape of what people send; the rules behind it are in ``releases.domain``."""
