"""A decoded picture and its source in, scores out: ``scores`` per map, on a GPU in ``scores_cuda``, with ``ssim``.

``match_source`` finds which map of a source is which of a file; ``byte_ledger`` says where a file's bytes go.
"""
