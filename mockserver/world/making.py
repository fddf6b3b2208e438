"""What a fresh customer owns: values made up after a contract's template, given ones kept."""

import base64
import itertools
import random
import string
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from mockserver.spec.pointer import join

_AREAS = [code for code in range(201, 999) if code not in {500, 555}]  # +1 500 555 is magic
_LETTERS = string.ascii_letters + string.digits


class AccountFault(Exception):  # noqa: N818 -- what is wrong with an account that somebody asked for
    """``pointer`` says where in the account; ``clash`` whether another account has the value."""

    def __init__(self, pointer: str, message: str, *, clash: bool = False) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.clash = clash


@cache
def test_only_rsa_key() -> str:
    """The one private key, PEM, that every account's RSA credentials share. For tests only."""
    return files("mockserver.world").joinpath("TEST-ONLY-rsa-key.pem").read_text("ascii")


class Maker:
    """Makes values up: by chance, or from a seed always the same. Numbers and integers never repeat."""

    def __init__(self, seed: str | None = None) -> None:
        self._chance = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 -- made-up customers
        self._numbers = itertools.count(self._chance.randrange(1_000_000))
        self._integers = itertools.count(self._chance.randrange(1_000_000))

    def complete(self, template: Any, given: Any, at: tuple[str | int, ...] = ()) -> Any:
        """``given`` in the template's shape, what it leaves out made up. Raises AccountFault."""
        if isinstance(template, Mapping) and "new" in template:
            if isinstance(given, bool) or not isinstance(given, str | int):
                raise AccountFault(join(*at), "must be a string or an integer")
            return given
        if isinstance(template, Mapping):
            return self._members(template, given, at, template.keys())
        if isinstance(template, list):
            return self._items(template, given, at)
        if template is not None and given is not None and _kind(template) is not _kind(given):
            raise AccountFault(join(*at), f"must be like {template!r}")
        return given

    def _members(self, template: Mapping[str, Any], given: Any, at: tuple[str | int, ...], allowed: Any) -> Any:
        if not isinstance(given, Mapping):
            raise AccountFault(join(*at), "must be an object")
        for name in given:
            if name not in allowed:
                raise AccountFault(join(*at, name), f"is not known here; known: {', '.join(allowed)}")
        made = {
            name: self.complete(member, given[name], (*at, name)) if name in given else self.fresh(member)
            for name, member in template.items()
        }
        return made | {name: value for name, value in given.items() if name not in template}

    def _items(self, template: list[Any], given: Any, at: tuple[str | int, ...]) -> list[Any]:
        if not isinstance(given, list):
            raise AccountFault(join(*at), "must be a list")
        allowed = dict.fromkeys(name for variant in template if isinstance(variant, Mapping) for name in variant)
        made = []
        for index, item in enumerate(given):
            variant = template[index if index < len(template) else 0] if template else {"new": "token"}
            if isinstance(variant, Mapping) and "new" not in variant:
                made.append(self._members(variant, item, (*at, index), allowed))
            else:
                made.append(self.complete(variant, item, (*at, index)))
        return made

    def fresh(self, template: Any) -> Any:
        """A value of its own for every ``{new: …}``, literals as they are."""
        if isinstance(template, Mapping):
            if "new" in template:
                make: Callable[[Mapping[str, Any]], Any] = getattr(self, f"_{template['new']}")
                return make(template)
            return {name: self.fresh(member) for name, member in template.items()}
        if isinstance(template, list):
            return [self.fresh(item) for item in template]
        return template

    def _uuid(self, template: Mapping[str, Any]) -> str:
        return f"{template.get('prefix', '')}{uuid.UUID(int=self._chance.getrandbits(128), version=4)}"

    def _uuid5(self, template: Mapping[str, Any]) -> str:
        return f"{template.get('prefix', '')}{uuid.UUID(int=self._chance.getrandbits(128), version=5)}"

    def _token(self, template: Mapping[str, Any]) -> str:
        letters = (self._chance.choice(_LETTERS) for _ in range(template.get("length", 40)))
        return f"{template.get('prefix', '')}{''.join(letters)}"

    def _base64(self, template: Mapping[str, Any]) -> str:
        return base64.b64encode(self._chance.randbytes(template.get("bytes", 32))).decode("ascii")

    def _integer(self, template: Mapping[str, Any]) -> int:
        lowest = 10 ** (template.get("digits", 7) - 1)
        return int(lowest + next(self._integers) % (9 * lowest))

    def _email(self, _template: Mapping[str, Any]) -> str:
        return f"customer-{self._chance.getrandbits(32):08x}@example.test"

    def _number(self, template: Mapping[str, Any]) -> str | int:
        line, area = divmod(next(self._numbers), len(_AREAS))
        digits = f"1{_AREAS[area]}555{1000 + line % 9000}"
        form = template.get("form", "e164")
        return int(digits) if form == "integer" else digits if form == "digits" else f"+{digits}"

    def _rsa(self, _template: Mapping[str, Any]) -> str:
        return test_only_rsa_key()


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, int | float) else type(value)
