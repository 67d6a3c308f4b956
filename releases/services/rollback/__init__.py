"""The emergency button: the press, the watch after it, and that it would work."""
