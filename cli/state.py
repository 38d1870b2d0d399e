"""What options decide for everything that a command does."""

debug: bool = False
quiet: bool = False
