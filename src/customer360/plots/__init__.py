"""Figures: frame in, Axes out. One module a notebook, one style for all."""
