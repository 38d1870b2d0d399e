"""Real numbers in, codes out: geometry rounded and improved, then features chosen by rate and distortion.

``channel_basis`` comes before the fit: the components whose coefficients the features are.
"""
