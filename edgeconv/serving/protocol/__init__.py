"""Requests and answers of the Open Inference Protocol, version 2, as bytes."""
