"""The members of OpenAPI's objects (3.1), and what stands in each of them."""

from collections.abc import Mapping

from mockserver.spec.shared import METHODS

EXTENSION = "x-"  # other tools' members begin so
_OF_PARAMETERS = (
    "description required deprecated allowEmptyValue style explode allowReserved "
    "schema:schema example examples:{example} content:{media}"
)


def _members(text: str) -> dict[str, str]:
    """By name, what stands there: ``kind``, ``[kind]`` for a list, ``{kind}`` by name; "" for what is free."""
    return {name: inner for name, _, inner in (word.partition(":") for word in text.split())}


OBJECTS: Mapping[str, Mapping[str, str]] = {
    "document": _members(
        "openapi info:info jsonSchemaDialect servers:[server] paths:{path} webhooks:{path} components:components "
        "security tags externalDocs"
    ),
    "info": _members("title summary description termsOfService contact license version"),
    "server": _members("url description variables"),
    "path": _members("summary description servers:[server] parameters:[parameter]")
    | dict.fromkeys(METHODS, "operation"),
    "operation": _members(
        "tags summary description externalDocs operationId parameters:[parameter] requestBody:body "
        "responses:{response} callbacks:{{path}} deprecated security servers:[server]"
    ),
    "parameter": _members(f"name in {_OF_PARAMETERS}"),
    "header": _members(_OF_PARAMETERS),
    "body": _members("description content:{media} required"),
    "media": _members("schema:schema example examples:{example} encoding:{encoding}"),
    "encoding": _members("contentType headers:{header} style explode allowReserved"),
    "response": _members("description headers:{header} content:{media} links"),
    "example": _members("summary description value externalValue"),
    "scheme": _members("type description name in scheme bearerFormat flows openIdConnectUrl"),
    "components": _members(
        "schemas:{schema} responses:{response} parameters:{parameter} examples:{example} requestBodies:{body} "
        "headers:{header} securitySchemes:{scheme} links callbacks:{{path}} pathItems:{path}"
    ),
}
