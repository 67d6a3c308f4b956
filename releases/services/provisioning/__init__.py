"""Setting up a service, its other settings, and its removal."""
