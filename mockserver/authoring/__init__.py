"""Helps to write contracts: begins them from a vendor's own OpenAPI file or from nothing, tries them, serves drafts."""
