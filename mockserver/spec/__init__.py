"""Reads contracts: the only wing that knows how OpenAPI spells things."""
