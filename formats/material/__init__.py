"""Images of a material in, one texture stack out: named, read, brought to one size, reduced to what must be coded."""
