"""The control API under /_mock, described in openapi.yaml beside this file."""
