"""Compares a pattern with a request and tells the differences. Pins, verification and test assertions all use it."""
