"""A stand-in for conversational-SMS vendors: they answer from contracts, and every call is recorded."""

__version__ = "0.1.0"
DISTRIBUTION = "sms-vendor-mockserver"  # not the only one with a package mockserver: see package_check.py
