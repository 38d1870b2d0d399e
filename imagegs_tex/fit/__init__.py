"""A picture in, real-valued Gaussians out: ``loop`` drives, ``state`` holds what moves, on a backend of ``rasterize``.

``problem`` says what is fitted and ``initialise`` where it starts; ``densification`` lets Gaussians go and come.
"""
