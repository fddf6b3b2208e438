"""Calls that a shared store has lost, by loss and account."""

from mockserver.store.losses import MAX_LOSSES, LossCount, Losses


def test_of_one_loss_the_most_counts() -> None:
    """Several servers tell of it; each loss counts for itself."""
    losses = Losses()
    assert [losses.tell("one", "first", calls) for calls in (5, 4, 6)] == [5, 0, 1]
    assert losses.tell("one", "second", 3) == 3
    assert losses.counted("one") == 9
    assert losses.standing() == {"first": {"one": 6}, "second": {"one": 3}}


def test_a_reset_forgets_what_is_lost_but_not_that_it_was_told() -> None:
    """Who tells of the same again says nothing new."""
    losses = Losses()
    losses.restore("one", "first", LossCount(5, 5))
    losses.tell("two", "first", 1)
    assert losses.reset("one") == ["one"]
    assert losses.tell("one", "first", 5) == losses.counted("one") == 0
    assert losses.standing() == {"first": {"two": 1}}
    assert losses.reset(None) == ["two"]
    losses.forget("one")
    assert losses.tell("one", "first", 5) == 5


def test_the_latest_losses_are_known() -> None:
    """Those that were told long ago go."""
    losses = Losses()
    for number in range(MAX_LOSSES + 2):
        losses.tell("one", str(number), 1)
    assert [*losses.of("one")] == [str(number) for number in range(2, MAX_LOSSES + 2)]
