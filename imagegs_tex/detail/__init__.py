"""A stack and its decode in, a detail layer out: what the Gaussians leave, where it is noise, as statistics.

``analyse`` is the way in; ``residual`` says which channels miss noise, ``groups`` which may share it,
``spectra`` of which bands it is made.
"""
