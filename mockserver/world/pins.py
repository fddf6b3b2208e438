"""The pins of all accounts."""

from mockserver.exchange.pin import Pin


class Pins:
    """At most one pin for an operation of an account; a new one takes its place."""

    def __init__(self) -> None:
        self.by_place: dict[tuple[str, str], Pin] = {}

    def put(self, pin: Pin) -> None:
        """Set a pin."""
        self.by_place[pin.account, pin.operation] = pin

    def get(self, account: str, operation: str) -> Pin | None:
        """The pin of an operation of an account."""
        return self.by_place.get((account, operation))

    def use(self, pin: Pin) -> bool:
        """Use a pin up by one; False where it is not as it was when it was looked at."""
        key = (pin.account, pin.operation)
        if self.by_place.get(key) is not pin:
            return False
        used = pin.used()
        if used.is_spent:
            del self.by_place[key]
        else:
            self.by_place[key] = used
        return True

    def all(self, account: str | None) -> list[Pin]:
        """The pins of an account (None: of all)."""
        return [pin for pin in self.by_place.values() if account is None or pin.account == account]

    def clear(self, account: str | None, operation: str | None = None) -> None:
        """Forget the pins of an account (None: of all), or of one operation of it."""
        for pin in self.all(account):
            if operation is None or pin.operation == operation:
                del self.by_place[pin.account, pin.operation]
