"""A picture in, real-valued Gaussians out: ``loop`` drives what ``state`` holds, on a backend of ``rasterize``.

``problem`` says what is fitted and ``initialise`` where it starts; ``densification`` lets Gaussians go and come.
``select_state`` takes the state on the GPU where there is one, else the one in torch.
"""
