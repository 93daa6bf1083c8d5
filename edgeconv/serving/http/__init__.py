"""Addresses, headers and connections of the HTTP server."""
