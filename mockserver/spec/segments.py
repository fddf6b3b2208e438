"""How many segments an SMS takes (3GPP TS 23.038 and 23.040).

160 septets of GSM-7 or 70 UTF-16 code units fit one; of a longer text each segment holds 153 or 67,
and neither an escaped character nor a surrogate pair is split.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
) - {"\x1b"}
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM7 = _BASIC | _EXTENSION


def sms_segments(text: str) -> int:
    """The number of segments; an empty text is one."""
    if _GSM7.issuperset(text):
        if len(text) <= 160 and _EXTENSION.isdisjoint(text):
            return 1
        return _count([2 if character in _EXTENSION else 1 for character in text], 160, 153)
    return _count([2 if character > "\uffff" else 1 for character in text], 70, 67)


def _count(widths: list[int], single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    segments, room = 1, part
    for width in widths:
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return segments
