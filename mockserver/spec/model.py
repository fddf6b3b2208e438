"""What a contract consists of. Everything is frozen, and prepared as far as it can be before a request comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from mockserver.spec.addresses import root_path
from mockserver.spec.answer_model import Answer
from mockserver.spec.callback_model import CallbackSpec, Inbound
from mockserver.spec.evidence import Graded
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Alternative, Scheme
from mockserver.spec.value_model import Validator, Value

READ_AS_FORM = frozenset({"form", "multipart"})  # of the ways to read a body
ParameterPart = Literal["path", "query", "header"]


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
    where: ParameterPart
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

    @property
    def shown(self) -> Media | None:
        """The form in which an example is sent: one that is read, if any of these has an example."""
        shown = [media for media in self.media.values() if media.example is not MISSING]
        return next((media for media in shown if media.reads != "nothing"), shown[0] if shown else None)


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

    With ``split`` the value is a text of several numbers with this between them; ``many``: it is a list of numbers, or
    of mappings that have their numbers at ``inside``, further lists being ``*``.
    """

    at: Pointer
    override: tuple[Pointer, ...]
    split: str | None = None
    many: bool = False
    inside: tuple[str, ...] = ()
    is_several: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_several", self.many or self.split is not None)


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
    ``lists_kept``: a value of an answer reads records that the account keeps; ``lists_problems``: one lists all that is
    wrong with the request. ``heeds_opt_out``: the answer depends on whether the recipient wants no more messages.
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
    lists_problems: bool = False

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
    def late_schemes(self) -> tuple[Scheme, ...]:
        """The schemes whose credentials are in the query or in the body, which are read after the head."""
        return tuple(scheme for scheme in self.schemes if scheme.where != "header")

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
class Contract:
    """One vendor.

    ``claims``: the account pointers that identify an account, and whether only digits are compared. ``shared``: those
    of them whose values several records of an account may have, since another value has bound the record. ``known``:
    methods that the vendor documents and nobody answers here, by path and method, with where they are documented.
    ``shares_paths``: another vendor has one of its paths, and only the host, or its name, tells the two apart.
    ``notes`` say how its file was read, where that is not as it is written.
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
    shares_paths: bool = False
    notes: tuple[str, ...] = ()

    @property
    def base_path(self) -> str:
        """What stands before its operations' paths on this server: its name first where it shares one."""
        return (f"/{self.vendor}" if self.shares_paths else "") + root_path(self.servers[0])
