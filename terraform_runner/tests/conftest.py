"""How property tests run: without a limit on one example's time, which a busy machine would break."""

from hypothesis import settings

settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")
