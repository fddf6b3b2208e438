"""Counts which documented answers an application has met, and reports on it."""
