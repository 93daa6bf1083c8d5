"""Requests a second of the server beside its peers, on one model, by one client, in turn."""
