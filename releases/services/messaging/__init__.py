"""From what has happened to messages that are there."""
