"""Pushes to open pages: one listening database connection per web process, and the streams that it feeds."""
