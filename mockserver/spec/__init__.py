"""Reads contracts. The only wing that knows how OpenAPI and YAML spell things."""
