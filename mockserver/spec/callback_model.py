"""What a vendor's own requests to its customer are, and messages from subscribers."""

from dataclasses import dataclass

from mockserver.spec.answer_model import Answer, Keeps
from mockserver.spec.pointer import Pointer
from mockserver.spec.value_model import Each, Value

OPTED_OUT = "opted_out"  # the kept list of subscribers who want no more messages
INBOUND = "inbound"  # what a callback waits for that tells of a subscriber's message


@dataclass(frozen=True, slots=True, eq=False)
class CallbackSpec:
    """A request that the vendor makes to its customer.

    ``on`` are the steps of kept records (``list/step``) that it tells of, or ``inbound``. ``to`` is the address.
    ``request`` is what is sent, as an answer has it: headers, and a body with filled values. ``retries`` are the
    seconds to each further attempt after one that got no 2xx.
    """

    vendor: str
    name: str
    method: str
    on: tuple[str, ...]
    to: Value
    request: Answer
    timeout: float
    retries: tuple[float, ...]

    @property
    def id(self) -> str:
        """``vendor.callback``, as pins, journal and assertions know it."""
        return f"{self.vendor}.{self.name}"


@dataclass(frozen=True, slots=True)
class OptOut:
    """Words by which a subscriber wants no more messages, or wants them again, and the vendor's reply, if any."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    reply: str | None


@dataclass(frozen=True, slots=True)
class Inbound:
    """What becomes of a message from a subscriber: whose number it must be sent to, and the record that it leaves.

    The newest record that ``finds`` lists is what the message belongs to.
    """

    to: Pointer
    finds: Each | None
    keeps: tuple[Keeps, ...]
    opt_out: OptOut | None
