"""What security schemes are: where credentials stand, and when they are good."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

BEARER = "Bearer"
BASIC = "Basic"


@dataclass(frozen=True, slots=True)
class Equals:
    """A credential that must equal a value of an account."""

    claim: str


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic: the user's name is the value at ``claim``, the password the member ``password`` of its record.

    ``password_at`` is where the contract says that the password stands.
    """

    claim: str
    password: str
    password_at: str


@dataclass(frozen=True, slots=True)
class Jwt:
    """A signed token.

    ``find`` names the token's claim or header by which the account's record is found; ``key``, ``algorithm`` and
    ``roles`` name members of that record. ``max_age`` is in seconds.
    """

    find_in: Literal["claim", "header"]
    find: str
    claim: str
    key: str
    algorithm: str | None
    algorithms: tuple[str, ...]
    require: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...]
    max_age: int | None
    roles: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """A security scheme: where the credential is, when it is good, and the name under which its record is known.

    ``word`` stands before the credential: ``Bearer``, ``Basic`` or the vendor's own; "" where there is none.
    """

    vendor: str
    name: str
    where: Literal["header", "query", "body"]
    key: str
    word: str
    accept: Equals | Basic | Jwt
    binds: str

    @property
    def bearer(self) -> bool:
        """Whether it is HTTP's ``Bearer``."""
        return self.word == BEARER

    @property
    def at(self) -> str:
        """The pointer of a problem with this credential."""
        return f"/{self.where}/{self.key}"


@dataclass(frozen=True)
class Alternative:
    """Schemes whose credentials must all be good and have all the roles of one of these sets."""

    schemes: tuple[Scheme, ...]
    roles: tuple[frozenset[str], ...]

    @cached_property
    def wanted(self) -> frozenset[Scheme]:
        """The schemes, as a set."""
        return frozenset(self.schemes)

    @cached_property
    def places(self) -> frozenset[str]:
        """Where its credentials stand."""
        return frozenset(scheme.at for scheme in self.schemes)

    @cached_property
    def asks_roles(self) -> bool:
        """Whether a good credential may still lack a role."""
        return any(self.roles)
