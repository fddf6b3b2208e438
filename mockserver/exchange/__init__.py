"""Decides: one request to one answer. Pure: no I/O, no clock, no await, no vendor."""
