"""The control API under /_mock: accounts, calls, contracts. Described in openapi.yaml beside this."""
