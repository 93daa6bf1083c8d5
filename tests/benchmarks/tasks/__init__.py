"""Ten small networks, one for each task that edge devices run, and one that int8 breaks: what int8 costs them."""
