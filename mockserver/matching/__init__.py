"""How a request differs from what was expected, and how that is told: one way for pins, verification and assertions."""
