"""Security schemes, and the alternatives in which an operation asks for them."""

from typing import Any

from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.security_model import BASIC, BEARER, Alternative, Basic, Equals, Jwt, Scheme

HTTP_WORDS = {"bearer": BEARER, "basic": BASIC}  # by the scheme's name in lower case


def read_schemes(reader: Reader) -> dict[str, Scheme]:
    """The security schemes of a document by name."""
    schemes = {}
    declared = reader.mapping(reader.mapping(reader.document, "components"), "securitySchemes")
    for name in declared:
        node = reader.mapping(declared, name)
        scheme = _scheme(reader, name, node)
        if scheme is not None:
            schemes[name] = scheme
    return schemes


def _scheme(reader: Reader, name: str, node: dict[str, Any]) -> Scheme | None:
    block = reader.x_mock(node, "security_scheme")
    if not block:
        if "x-mock" not in node:
            reader.unfinished(node, "x-mock is missing: say with 'accept' which credentials are good")
        return None
    accept = _accept(block["accept"])
    kind = node.get("type")
    binds = Pointer.parse(accept.claim).tokens[1]
    own_word = block["accept"].get("scheme", "")
    word = HTTP_WORDS.get(str(node.get("scheme", "")).lower()) if kind == "http" else None
    if isinstance(accept, Basic) is not (word == BASIC):
        reader.error(node, "http basic and 'accept: {basic: …}' go together", "x-mock")
    if word is not None:
        return Scheme(reader.vendor, name, "header", "authorization", word=word, accept=accept, binds=binds)
    if "at" in block:
        member = Pointer.parse(block["at"]).tokens[1]
        return Scheme(reader.vendor, name, "body", member, word=own_word, accept=accept, binds=binds)
    where = node.get("in")
    if kind == "apiKey" and where in ("header", "query"):
        text = reader.text(node, "name")
        key = text.lower() if where == "header" else text
        return Scheme(reader.vendor, name, where, key, word=own_word, accept=accept, binds=binds)
    reader.error(node, "only apiKey in header or query, http bearer and http basic can be checked", "type")
    return None


def _accept(block: dict[str, Any]) -> Equals | Basic | Jwt:
    if "equals" in block:
        return Equals(block["equals"])
    if "basic" in block:
        at = block["basic"]["password"]
        return Basic(block["basic"]["user"], Pointer.parse(at).tokens[-1], at)
    jwt = block["jwt"]
    find = jwt["find"]
    return Jwt(
        find_in="claim" if "claim" in find else "header",
        find=find.get("claim") or find["header"],
        claim=find["equals"],
        key=jwt["key"],
        algorithm=jwt.get("algorithm"),
        algorithms=tuple(jwt.get("algorithms", ())),
        require=tuple(jwt.get("require", ())),
        claims=tuple((name, tuple(allowed)) for name, allowed in jwt.get("claims", {}).items()),
        max_age=jwt.get("max_age"),
        roles=jwt.get("roles"),
    )


def read_security(reader: Reader, operation: dict[str, Any], schemes: dict[str, Scheme]) -> tuple[Alternative, ...]:
    """The alternatives of an operation. Those with the same schemes become one with several sets of roles."""
    holder = operation if "security" in operation else reader.document
    grouped: dict[tuple[Scheme, ...], list[frozenset[str]]] = {}
    requirements = reader.items(holder, "security")
    for requirement in requirements:
        if not requirement and len(requirements) > 1:
            reader.error(requirement, "credentials that may also be left out cannot be checked")
        used: list[Scheme] = []
        roles: frozenset[str] = frozenset()
        for name, scopes in requirement.items():
            if name in schemes:
                used.append(schemes[name])
                if not isinstance(scopes, list) or not all(isinstance(role, str) for role in scopes):
                    reader.error(requirement, "roles must be a list of strings", name)
                    continue
                roles |= frozenset(scopes)
            elif not _declared(reader, name):
                reader.error(requirement, f"there is no security scheme {name!r}", name)
        if roles and not any(isinstance(s.accept, Jwt) and s.accept.roles for s in used):
            reader.error(requirement, "roles are named, but no scheme here says where an account keeps them")
        if used:
            grouped.setdefault(tuple(used), []).append(roles)
    return tuple(Alternative(used, tuple(roles)) for used, roles in grouped.items())


def _declared(reader: Reader, name: str) -> bool:
    components = reader.document.get("components")
    declared = components.get("securitySchemes") if isinstance(components, dict) else None
    return isinstance(declared, dict) and name in declared
