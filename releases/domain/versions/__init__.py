"""Versions of a service: an image and what it runs with."""
