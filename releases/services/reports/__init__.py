"""Reports, exports and checkpoints of the trail."""
