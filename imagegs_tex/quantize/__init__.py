"""Real numbers in, codes out: geometry rounded and improved, then features chosen by rate and distortion.

``channel_basis`` comes before the fit: the components whose coefficients the features are. ``geometry`` rounds,
``geometry_rdo`` and ``feature_rdo`` choose; ``geometry_torch`` and ``geometry_numba`` have the geometry's arithmetic.
"""
