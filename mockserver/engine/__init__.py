"""Decides what one request is answered with. Pure: no I/O, no clock, no global cache, no vendor."""
