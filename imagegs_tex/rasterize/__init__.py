"""Gaussians in, a picture out, and back: gradients, normal equations, and what each Gaussian is worth.

``backend`` says what every backend offers, ``reference`` defines it in plain torch, ``cpu`` and ``cuda`` are quick;
``select_backend`` picks one by name. ``autograd`` and ``conjugate_gradient`` stand on any of them.
"""
