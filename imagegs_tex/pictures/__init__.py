"""What a result looks like: maps, errors, Gaussians, bytes and lit surfaces as RGB pictures with labels.

Functions take arrays and plain dataclasses and return uint8 [H, W, 3] or Pillow images; nothing here reads or writes a
file, and nothing needs torch. The command ``view``, web pages and snapshots of a fit are made of them.
"""
