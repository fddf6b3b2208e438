"""Serves the vendors and the control API. The only wing that knows Starlette, sockets and threads."""
