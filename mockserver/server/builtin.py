"""The five contracts and their evidence, wherever this package was installed."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def contracts_folder() -> Path:
    """In a wheel beside the code; in a checkout beside the package."""
    return _first(_PACKAGE / "_contracts", _PACKAGE.parent / "contracts")


def fixtures_folder() -> Path:
    """In a wheel beside the code; in a checkout beside the package."""
    return _first(_PACKAGE / "_fixtures", _PACKAGE.parent / "fixtures")


def _first(packed: Path, checkout: Path) -> Path:
    return packed if packed.is_dir() else checkout
