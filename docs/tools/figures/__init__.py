"""What `draw_figures.py` draws: a figure a function, from the reference model and the photograph of a seven."""
