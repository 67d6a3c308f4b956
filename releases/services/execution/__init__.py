"""The way of one run, from its claim to what came of it, and what a lost one has left."""
