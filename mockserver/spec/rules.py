"""Rules; whether they answer every problem that can happen, and whether each of them can decide."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver.spec.answer_model import Answer
from mockserver.spec.model import OperationSpec, Rule
from mockserver.spec.parameters import Marks
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import ABOUT_REQUESTS, Reader
from mockserver.spec.security_model import Alternative, Jwt
from mockserver.spec.values import read_condition

CREDENTIAL_KINDS = {"unauthenticated", "forbidden"}
OWNED_KINDS = {"unknown", "foreign"}
KEY_REASONS = {"absent", "unknown"}
JWT_REASONS = {"absent", "malformed", "unknown", "signature", "claims", "expired"}


@dataclass(frozen=True, slots=True)
class Possible:
    """A problem that a request can have, as far as the contract tells."""

    kind: str
    at: Pointer | None = None
    reason: str | None = None

    def __str__(self) -> str:
        where = f" at {self.at}" if self.at else ""
        return f"{self.kind}{' ' + self.reason if self.reason else ''}{where}"


def read_rules(
    reader: Reader, nodes: Iterable[dict[str, Any]], answers: Mapping[str, Answer], *, are_whole: bool = True
) -> list[Rule]:
    """The rules of an operation. A rule that names no answer is an error, unless the answers could not all be read."""
    rules = []
    for node in nodes if answers else ():  # that there is none is told of the responses
        answer = answers.get(node["answer"])
        if answer is None:
            if are_whole:
                told = f"no answer {node['answer']!r}; this operation has: {', '.join(answers)}"
                reader.error(node, told, "answer")
            answer = next(iter(answers.values()))  # so that its problems count as answered
        when = [(Pointer.parse(at), read_condition(reader, node["when"], at)) for at in node.get("when", {})]
        kinds = node.get("problem")
        named = frozenset([kinds] if isinstance(kinds, str) else kinds or ())
        rule = Rule(
            answer=answer,
            kinds=None if "any" in named else named,
            on_problem=kinds is not None,
            at=Pointer.parse(node["at"]) if "at" in node else None,
            reason=node.get("reason"),
            when=tuple(when),
            place=reader.file_and_line(node),
            says=_in_words(node),
        )
        rules.append(rule)
    return rules


def _in_words(node: dict[str, Any]) -> str:
    """The condition of a rule: ``missing or invalid at /body/to (pattern)``, ``/owned/lines/open const false``."""
    words = []
    if "problem" in node:
        kinds = [node["problem"]] if isinstance(node["problem"], str) else node["problem"]
        at = f" at {node['at']}" if "at" in node else ""
        reason = f" ({node['reason']})" if "reason" in node else ""
        words.append(f"{' or '.join(kinds)}{at}{reason}")
    for at, condition in node.get("when", {}).items():
        if isinstance(condition, bool):
            words.append(f"{at} {'there' if condition else 'not there'}")
        else:
            words.append(f"{at} {', '.join(f'{word} {json.dumps(value)}' for word, value in condition.items())}")
    return " and ".join(words)


def possible_problems(operation: OperationSpec, marks: Marks) -> list[Possible]:
    """Everything that can be wrong with a request to this operation."""
    problems = [Possible("method")]
    problems += _of_body(operation, marks)
    for alternative in operation.security:
        problems += _of_security(alternative)
    for parameter in operation.parameters:
        at = Pointer((parameter.where, parameter.name))
        if parameter.where == "path":
            continue
        problems.append(Possible("invalid", at))
        if parameter.required:
            problems.append(Possible("missing", at))
    for owned in operation.owned:
        problems += [Possible("unknown", owned.at)] + ([] if owned.is_inner else [Possible("foreign", owned.at)])
    problems += [Possible("unknown", kept.at) for kept in operation.kept]
    if operation.rate_limit is not None:
        problems.append(Possible("limited"))
    if operation.dispatch is not None:
        problems.append(Possible("invalid", operation.dispatch.by, "enum"))
    return problems


def _of_body(operation: OperationSpec, marks: Marks) -> list[Possible]:
    body, at = operation.body, Pointer(("body",))
    if body is None:
        return []
    reads = {media.reads for media in body.media.values()}
    problems = [Possible("too_large")]
    if "*/*" not in body.media:
        problems.append(Possible("media_type"))
    if reads - {"nothing"}:
        problems.append(Possible("unreadable", at))
    if body.required:
        problems.append(Possible("missing", at))
    if "json" in reads or (reads - {"nothing"} and not operation.merges_form):
        problems.append(Possible("invalid", at))
        problems += [Possible("missing", place) for place in marks.required]
        problems += [Possible("invalid", place) for place in marks.declared]
    return problems


def _of_security(alternative: Alternative) -> list[Possible]:
    problems = []
    for scheme in alternative.schemes:
        at = Pointer((scheme.where, scheme.key))
        reasons = JWT_REASONS if isinstance(scheme.accept, Jwt) else KEY_REASONS
        if len(alternative.schemes) > 1:
            reasons = reasons | {"signature"}  # it belongs to another account than the other credential
        if scheme.word:
            reasons = reasons | {"malformed"}
        problems += [Possible("unauthenticated", at, reason) for reason in sorted(reasons)]
        if any(alternative.roles):
            problems.append(Possible("forbidden", at))
    return problems


def check_rules(
    reader: Reader,
    operation: dict[str, Any],
    rules: Sequence[Rule],
    nodes: Sequence[dict[str, Any] | None],
    problems: list[Possible],
) -> set[int]:
    """Add an error for each problem that no rule answers, and for each rule that has a node and can never decide.

    Returns the numbers of the rules that may decide.
    """
    unanswered, deciding = list(problems), set()
    for number, rule in enumerate(rules):
        if not rule.on_problem:
            deciding.add(number)
            continue
        met = _met(rule, problems)
        if any(problem in unanswered for problem in met) or _is_of_what_is_broken(reader, rule):
            deciding.add(number)
        elif number < len(nodes) and (node := nodes[number]) is not None:
            why = "the rules before it answer all that it would" if met else "this problem cannot happen here"
            reader.error(node, f"a rule never reachable: {why}")
        unanswered = [problem for problem in unanswered if not _settles(rule, problem)]
    if unanswered and not _are_misspelt(reader):
        listed = "; ".join(dict.fromkeys(str(problem) for problem in unanswered))
        reader.unfinished(operation, f"problems that can happen but have no answer: {listed}")
    return deciding


def _are_misspelt(reader: Reader) -> bool:
    """Whether it is told that an operation has its rules under a wrong word; other spellings have the same ones."""
    words = ("did you mean 'rules'?", "did you mean 'x-mock'?")
    return any(error.pointer.startswith("/paths/") and error.message.endswith(words) for error in reader.errors)


def _is_of_what_is_broken(reader: Reader, rule: Rule) -> bool:
    """Whether a rule is about credentials alone, or owned values, and it is told that these are not read."""
    if rule.kinds is None or not rule.kinds <= CREDENTIAL_KINDS:
        return rule.kinds is not None and rule.kinds <= OWNED_KINDS and reader.is_broken(*ABOUT_REQUESTS)
    return any("/secur" in error.pointer or "'secur" in error.message for error in reader.errors)


def _met(rule: Rule, problems: list[Possible]) -> list[Possible]:
    """The problems that the rule may be about.

    A problem at a place stands for all problems below it: a rule about a place that no schema names meets those of
    the places above.
    """
    fitting = [problem for problem in problems if _fits(rule, problem)]
    if rule.at is None:
        return fitting
    exact = [problem for problem in fitting if problem.at is not None and rule.at.covers(problem.at)]
    named = {problem.kind for problem in exact}
    above = [p for p in fitting if p.kind not in named and p.at is not None and p.at.covers(rule.at)]
    return exact + above


def _fits(rule: Rule, problem: Possible) -> bool:
    if rule.kinds is not None and problem.kind not in rule.kinds:
        return False
    return rule.reason is None or problem.reason is None or rule.reason == problem.reason


def _settles(rule: Rule, problem: Possible) -> bool:
    """Whether the rule answers the problem in every case."""
    if rule.when or (rule.kinds is not None and problem.kind not in rule.kinds):
        return False
    if rule.reason is not None and rule.reason != problem.reason:
        return False
    return rule.at is None or (problem.at is not None and rule.at.covers(problem.at))
