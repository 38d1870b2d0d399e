"""What repeats on a lattice: finding the lattice, and the layer of a file that says each cell once.

:mod:`.find_lattice` looks for it, :mod:`.cell_pictures` takes a picture's cells apart into what all have and what
differs, :mod:`.choose_layer` rounds both.
"""
