"""A decode and its source in, scores out; and where a file's bytes go."""
