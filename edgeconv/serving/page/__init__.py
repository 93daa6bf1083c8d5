"""The page at `/`, on which a model is tried: that of the web bundle, which asks the server."""
