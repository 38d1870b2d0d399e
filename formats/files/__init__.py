"""Names, paths, JSON and writes that are safe whatever comes from outside."""
