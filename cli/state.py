"""What the root command's options decide for all commands."""

debug: bool = False
