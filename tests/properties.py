"""How many examples a property test tries: a quarter where tests are run again and again, all of them in CI."""

import os

MIN_EXAMPLES = 25


def examples(number: int) -> int:
    """All of them where ``MOCKSERVER_EXAMPLES=all``, else a quarter of it."""
    return number if os.environ.get("MOCKSERVER_EXAMPLES") == "all" else max(number // 4, MIN_EXAMPLES)
