"""Facts: what the world knows of what a request claims to be and to own."""

from mockserver.engine.clock import REAL
from tests.engine.workbench import Bench


def test_claimant() -> None:
    """The first claim that anybody owns names the account, whoever else owns the others."""
    bench = Bench()
    facts = bench.facts()
    mine = ("/account/key", bench.mine["key"])
    theirs = ("/account/lines/number", bench.theirs["lines"][0]["number"])
    nobodys = ("/account/key", "nobody's")
    assert facts.claimant([nobodys, mine, theirs]) is bench.one
    assert facts.claimant([nobodys, theirs, mine]) is bench.two
    assert facts.claimant([nobodys]) is facts.claimant([]) is None


def test_time_is_real_unless_an_account_has_its_own() -> None:
    """Nobody's request, and that of an account without a clock, are judged by the real time."""
    bench = Bench()
    assert bench.facts().clock(None) is bench.facts().clock(bench.one) is REAL
