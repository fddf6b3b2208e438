"""Remembers accounts, calls, pins, limits and clocks behind one small async Store."""
