"""Keep what was decided: the block log, and committed rows behind it."""
