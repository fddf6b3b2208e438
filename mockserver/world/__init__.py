"""Remembers: accounts and their calls, behind one small async Store."""
