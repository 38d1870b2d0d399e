"""One differentiable operation, several backends."""
