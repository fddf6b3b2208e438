"""Instructions of one request, by valgrind: ``python benchmarks/instructions.py --help``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # what is measured is this checkout
    try:
        from benchmarks.callgrind import main
    except ModuleNotFoundError as missing:
        raise SystemExit(f"benchmarks: {missing}; pip install -c constraints.txt . into this Python first") from missing
    main()
