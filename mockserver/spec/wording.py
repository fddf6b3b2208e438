"""What messages of all kinds are put together from: texts that are not too long, and nouns in their number."""


def shortened(text: str, limit: int) -> str:
    """A text of so many characters at the most, and an ellipsis where there were more."""
    return text if len(text) <= limit else f"{text[:limit]}…"


def counted(number: int, noun: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
