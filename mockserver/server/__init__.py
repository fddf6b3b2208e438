"""Serves: the only wing that knows Starlette, sockets, clocks and threads."""
