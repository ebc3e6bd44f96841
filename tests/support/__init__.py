"""Shared code of the tests that drive a running host from outside. Python's standard library only."""
