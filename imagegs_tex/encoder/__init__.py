"""A texture stack in, a quantized set out: pilots and fits, until the file has the size or quality asked for.

``rate_control`` is the way in; it asks ``size_search`` or ``quality_search``, which ask ``trial_fits``, which calls
``encode``: channel basis, fit, geometry codes, feature codes. ``compute`` says where its heavy steps run.
"""
