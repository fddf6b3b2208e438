import os

OPENTACT_URL = os.environ.get("OPENTACT_URL", "")
OPENTACT_KEY = os.environ.get("OPENTACT_KEY", "")
