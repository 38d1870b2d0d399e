"""Where people look first: a stack's base colour in, a map of saliency out, and texel weights made of it.

``estimate`` needs nothing but the picture (``spectral_residual``, ``centre_surround``); ``eml_net`` runs a network
whose weights the user has; ``importance`` chooses between them and turns saliency into how much each texel counts.
"""
