"""Files that other programs load, each by an environment variable; see ``child_environment.py``."""
