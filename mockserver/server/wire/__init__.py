"""The HTTP connection: limits, timeouts, faults on the wire."""
