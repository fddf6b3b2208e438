"""Checks that the package ``mockserver`` that Python has imported is this one.

Another product's client, the distribution mockserver-client, installs a package of the same name into
the same folder. The one installed last owns ``mockserver/__init__.py``.
"""

import mockserver

EXPECTED = "sms-vendor-mockserver"


class ForeignPackageError(ImportError):
    """The package ``mockserver`` is another distribution's."""


def require_ours() -> None:
    """Raise ForeignPackageError, which says what to do, if another distribution's files shadow this package's."""
    if getattr(mockserver, "DISTRIBUTION", None) != EXPECTED:
        raise ForeignPackageError(
            f"the package 'mockserver' at {getattr(mockserver, '__file__', '?')} is not {EXPECTED}'s: "
            "another distribution (mockserver-client?) installs a package of the same name. "
            f"Uninstall it, then reinstall: pip uninstall mockserver-client && pip install --force-reinstall {EXPECTED}"
        )
