"""Which operations are meant: one by its id, ``vendor.*`` for all of a vendor, or ``*`` for all."""

EVERYTHING = "*"


def vendor_reach(vendor: str) -> str:
    """All operations of a vendor."""
    return f"{vendor}.*"


def covers(outer: str, inner: str) -> bool:
    """Whether all operations of one reach are in another."""
    return outer in {EVERYTHING, inner} or (outer.endswith(".*") and inner.startswith(outer[:-1]))
