"""Calls passed on to the real vendors, and where what these answer departs from the contracts."""
