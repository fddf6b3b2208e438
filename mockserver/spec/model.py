"""What a contract consists of. Everything is frozen, and prepared as far as it can be before a request comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, Protocol

from mockserver.spec.evidence import Evidence, Graded
from mockserver.spec.pointer import MISSING, Pointer

Part = Literal["path", "query", "header"]
BODILESS_STATUSES = frozenset({204, 304})  # HTTP allows no body with these


class Validator(Protocol):
    """A compiled JSON Schema."""

    def is_valid(self, instance: Any) -> bool: ...

    def validate(self, instance: Any, /) -> None: ...

    def iter_errors(self, instance: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Echo:
    """Repeats a value of the request, or ``otherwise`` where the request has none there."""

    pointer: Pointer
    otherwise: "Value | None"


@dataclass(frozen=True, slots=True)
class New:
    """A new value. ``plus`` is in seconds and moves a timestamp; ``form`` is how a timestamp is written."""

    kind: Literal["uuid", "sequence", "timestamp"]
    plus: int
    form: str = "iso_ms"


@dataclass(frozen=True, slots=True)
class Apply:
    """A pure function of values of the request."""

    function: Callable[..., Any]
    pointers: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Any


@dataclass(frozen=True, slots=True)
class Composed:
    """A mapping or a list whose members are values."""

    members: "Mapping[str, Value] | tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Join:
    """Text put together of values."""

    parts: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token that a security scheme accepts, for the record that the request's credential bound."""

    scheme: str


@dataclass(frozen=True, slots=True)
class CountOf:
    """Of the list at a place of this answer: all its entries, those shown, its pages, or whether more follow."""

    at: Pointer
    of: Literal["all", "shown", "pages", "more"] = "all"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a member of an entry must be for the entry to be listed; a value that is absent asks nothing."""

    member: Pointer
    relation: Literal["is", "in", "from", "to", "like"]
    value: "Value"


@dataclass(frozen=True, slots=True)
class Paging:
    """Which entries of a list are shown. Of the pointers the first that has a value counts; ``most`` bounds a page.

    The request says with ``skip`` how many entries to leave out, or with ``number`` which page it wants, from 1.
    """

    skip: tuple[Pointer, ...]
    take: tuple[Pointer, ...]
    default: int
    most: int
    number: tuple[Pointer, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """An entry for each record of a list that meets the conditions.

    Where the value at ``any_of`` is ``OR``, one condition is enough. ``order`` are members, each with whether the
    greatest comes first. ``item`` is what is shown of a record; None shows all of it.
    """

    of: Pointer
    where: tuple[Condition, ...]
    any_of: Pointer | None
    order: tuple[tuple[Pointer, bool], ...]
    page: Paging | None
    item: "Value | None"


@dataclass(frozen=True, slots=True)
class Shaped:
    """A value that is written as text or as an integer, and is absent where a condition does not hold."""

    value: "Value"
    written_as: Literal["text", "integer"] | None
    when: tuple[tuple[Pointer, Validator | None], ...]


Value = Echo | New | Apply | Constant | Composed | Join | SignedToken | CountOf | Each | Shaped


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a kept record some seconds after the answer; ``state`` is that of its message from then on."""

    name: str
    after: float
    state: str | None
    sets: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """The steps that a kept record goes through; ``magic`` are the last digits of recipients that ask for it."""

    name: str
    magic: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Keeps:
    """The record that an accepted answer leaves, or one for each entry of the list at ``each``.

    ``key`` is the member by which it is found. The first course is the ordinary one. Where ``when`` does not hold,
    nothing is kept.
    """

    list_name: str
    key: str
    when: tuple[tuple[Pointer, Validator | None], ...]
    each: Pointer | None
    record: Value
    courses: tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A member of a bound record that gets another value."""

    at: Pointer
    value: Value


@dataclass(frozen=True, slots=True)
class Effects:
    """What an accepted answer leaves behind, in this order."""

    keeps: tuple[Keeps, ...] = ()
    changes: tuple[Change, ...] = ()
    forgets: str | None = None


NO_EFFECTS = Effects()


@dataclass(frozen=True, eq=False)
class Answer:
    """A documented response.

    ``body`` is the sample's literal JSON, cut where a value is filled in: it has one segment more than ``fills``.
    Each fill comes with the literal JSON that the sample has in its place, and with what is known of other values;
    ``places`` says where each stands in the body, ``written`` is the order in which the contract has them. ``means`` is
    the status that the answer stands for where the HTTP status says less.
    """

    name: str
    id: str
    status: int
    means: int
    magic: str | None
    evidence: Evidence
    headers: tuple[tuple[bytes, bytes, Value | None], ...]
    body: tuple[bytes, ...]
    fills: tuple[tuple[Value, bytes, Graded | None], ...]
    schema: Validator | None
    sample: Any
    places: tuple[Pointer, ...] = ()
    written: tuple[int, ...] = ()
    effects: Effects = NO_EFFECTS

    def has_member(self, at: Pointer) -> bool:
        """Whether the documented body has a value at this place."""
        return at.get(self.sample) is not MISSING

    @cached_property
    def accepted(self) -> bool:
        """Whether the answer means that the vendor accepts the request."""
        return self.means < 400


@dataclass(frozen=True, slots=True)
class Rule:
    """Which answer is given, and when.

    A rule ``on_problem`` answers a problem of one of ``kinds`` (None: any), with this ``reason`` (None: any), at or
    below ``at`` (None: anywhere). ``when`` are schemas that values must fit; where it is None the value must be absent.
    ``place`` is where it is written: ``acme.yaml:41``; ``says`` is its condition in words.
    """

    answer: Answer
    kinds: frozenset[str] | None
    on_problem: bool
    at: Pointer | None
    reason: str | None
    when: tuple[tuple[Pointer, Validator | None], ...]
    place: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class ArrayStyle:
    """How the items of an array are written: ``delimiter`` between them, "" where each has its name before it.

    ``item`` is the type that an item's text is turned into, None for text.
    """

    delimiter: str
    item: str | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; header names are lower case."""

    name: str
    where: Part
    required: bool
    coerce: str | None
    example: Any
    array: ArrayStyle | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """One media type of a request body and how it is read."""

    essence: str
    reads: Literal["json", "form", "multipart", "nothing"]
    coerce: Mapping[str, str]
    example: Any
    arrays: Mapping[str, ArrayStyle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """What a request's body may be."""

    required: bool
    media: Mapping[str, Media]


@dataclass(frozen=True, slots=True)
class Owned:
    """A value that an account must own.

    ``claim`` is the account pointer whose values are owned, ``binds`` the name under which the owning record is then
    known. ``within``: the value must be one of the record that another value has bound; ``held`` is where in the bound
    records it stands. Where the record lists records (``is_inner``), they are what is held there: the one that has the
    value is bound too, and a record without the list asks nothing.
    """

    at: Pointer
    claim: str
    binds: str
    within: Pointer | None
    digits: bool
    is_inner: bool = field(init=False, compare=False)
    held: Pointer | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        tokens = self.within.tokens[1:] if self.within is not None else ()
        object.__setattr__(self, "is_inner", len(tokens) > 2)
        object.__setattr__(self, "held", Pointer(tokens[:-1] if len(tokens) > 2 else tokens) if tokens else None)


@dataclass(frozen=True, slots=True)
class KeptMember:
    """A value of the request that must be a member of one of the account's kept records, which it then binds."""

    at: Pointer
    list_name: str
    member: str


@dataclass(frozen=True, slots=True)
class Sms:
    """Where an operation that sends has the sender and the text of its message; None where nobody can know."""

    sender: Value | None
    text: Value | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a request has the recipient's number; each ``override`` is read first, where the request has it.

    With ``split`` the value is a text of several numbers with this between them; ``many``: it is a list of numbers.
    """

    at: Pointer
    override: tuple[Pointer, ...]
    split: str | None = None
    many: bool = False

    @property
    def is_several(self) -> bool:
        return self.many or self.split is not None


@dataclass(frozen=True, slots=True)
class Equals:
    """A credential that must equal a value of an account."""

    claim: str


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic: the user's name is the value at ``claim``, the password the member ``password`` of its record."""

    claim: str
    password: str


BEARER = "Bearer"
BASIC = "Basic"


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
    where: Literal["header", "query"]
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
    def asks_roles(self) -> bool:
        """Whether a good credential may still lack a role."""
        return any(self.roles)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``requests`` in ``seconds``, counted by account or, with ``by``, by a value of the request."""

    requests: int
    seconds: int
    by: Pointer | None
    evidence: Graded


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The value at ``by`` names the operation that the request is for, or one that is not mocked.

    ``known`` has of each of those where the vendor documents it.
    """

    by: Pointer
    to: Mapping[str, "OperationSpec"]
    known: Mapping[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Behaviour:
    """What an operation does with a request; another spelling of the operation does the same.

    ``conditions`` are the rules that need no problem. ``success`` answers where nothing else does. ``body_limit``
    is in bytes.
    """

    name: str
    answers: Mapping[str, Answer]
    rules: tuple[Rule, ...]
    conditions: tuple[Rule, ...]
    success: Answer | None
    rate_limit: RateLimit | None
    body_limit: int | None
    dispatch: Dispatch | None
    message: Sms | None = None

    def shared(self) -> dict[str, Any]:
        """Every part of the behaviour by name, as another operation takes it."""
        return {part.name: getattr(self, part.name) for part in fields(Behaviour)}


@dataclass(frozen=True, eq=False, kw_only=True)
class OperationSpec(Behaviour):
    """One method and path, what a request to it consists of, and the behaviour that answers it.

    ``spelling`` is its own name; ``name`` is that of the operation whose behaviour it has. ``evidence`` is how far the
    spelling is known. ``schemas`` are by media type ("" for no body) those of the request, as the document has them;
    ``validators`` are the same, compiled.
    ``lists_kept``: a value of an answer reads records that the account keeps. ``heeds_opt_out``: its answer depends on
    whether the recipient wants no more messages.
    """

    vendor: str
    spelling: str
    evidence: Graded
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    merges_form: bool
    security: tuple[Alternative, ...]
    owned: tuple[Owned, ...]
    kept: tuple[KeptMember, ...]
    recipient: Recipient | None
    schemes: tuple[Scheme, ...]
    headers: frozenset[str]
    schemas: Mapping[str, Mapping[str, Any]]
    validators: Mapping[str, Validator]
    declared: tuple[tuple[str, str, str], ...]
    enumerated: tuple[tuple[Pointer, tuple[Any, ...]], ...]
    lists_kept: bool = False
    heeds_opt_out: bool = False

    @cached_property
    def id(self) -> str:
        """``vendor.operation``, as pins, journal and assertions know it."""
        return f"{self.vendor}.{self.name}"

    @cached_property
    def magic(self) -> Mapping[str, Answer]:
        """Answers by the last digits of the recipient that asks for them; none where there is no recipient."""
        answers = self.answers.values() if self.recipient is not None else ()
        return {answer.magic: answer for answer in answers if answer.magic}

    @cached_property
    def reads_kept(self) -> bool:
        """Whether an answer depends on the records that the account keeps."""
        return bool(self.kept) or self.lists_kept

    @cached_property
    def courses(self) -> tuple[str, ...]:
        """The courses that records of its answers can take."""
        kept = (keeps for answer in self.answers.values() for keeps in answer.effects.keeps)
        return tuple(dict.fromkeys(course.name for keeps in kept for course in keeps.courses))

    @cached_property
    def coerced(self) -> tuple[tuple[str, str, str], ...]:
        """Part, name and type of each parameter whose type is not text."""
        return tuple((p.where, p.name, p.coerce) for p in self.parameters if p.coerce is not None)

    @cached_property
    def arrays(self) -> Mapping[str, Mapping[str, ArrayStyle]]:
        """By part and name, the parameters that are arrays, those of operations that it dispatches to among them."""
        found: dict[str, dict[str, ArrayStyle]] = {}
        for operation in (self, *(self.dispatch.to.values() if self.dispatch is not None else ())):
            for parameter in operation.parameters:
                if parameter.array is not None:
                    found.setdefault(parameter.where, {}).setdefault(parameter.name, parameter.array)
        return found

    @cached_property
    def query_schemes(self) -> tuple[Scheme, ...]:
        """The schemes whose credentials are in the query."""
        return tuple(scheme for scheme in self.schemes if scheme.where == "query")

    @cached_property
    def places(self) -> frozenset[str]:
        """Every place of a request that the contract names, as pointers that a header can carry."""
        places = {"/method", "/body", "/limit", "/header/content-type"}
        places |= {at for at, _, _ in self.declared}
        places |= {str(owned.at) for owned in self.owned}
        places |= {scheme.at for alternative in self.security for scheme in alternative.schemes}
        return frozenset(at for at in places if at.isascii() and at.isprintable())


@dataclass(frozen=True, slots=True)
class VendorPage:
    """A page that a contract was written from: its address, and the day it was read, as ``2026-11-26``."""

    url: str
    read: str


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


OPTED_OUT = "opted_out"  # the kept list of subscribers who want no more messages
INBOUND = "inbound"  # what a callback waits for that tells of a subscriber's message


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """One vendor.

    ``claims``: the account pointers that identify an account, and whether only digits are compared. ``shared``: those
    of them whose values several records of an account may have, since another value has bound the record. ``known``:
    methods that the vendor documents and nobody answers here, by path and method, with where they are documented.
    """

    vendor: str
    title: str
    version: str
    file: str
    servers: tuple[str, ...]
    operations: tuple[OperationSpec, ...]
    schemes: tuple[Scheme, ...]
    account: Mapping[str, Any]
    files: Mapping[str, Mapping[str, str]]
    claims: Mapping[str, bool]
    shared: frozenset[str]
    known: Mapping[str, Mapping[str, str]]
    pages: tuple[VendorPage, ...]
    document: Mapping[str, Any]
    callbacks: tuple[CallbackSpec, ...] = ()
    inbound: Inbound | None = None
