"""Decides what one request is answered with. Pure: no I/O, no clock but its sources, no global cache, no vendor."""
