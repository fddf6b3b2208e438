"""Loaded by Pythons that start with this folder on PYTHONPATH: the vendors' hosts lead to a mockserver.

Another ``sitecustomize``, which this one hides, is loaded after it.
"""

import importlib.util
import json
import os
import sys
from importlib.machinery import PathFinder

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 -- each Python that starts pays for pathlib


def _redirect() -> None:
    reach = json.loads(os.environ["MOCKSERVER_REACH"])
    file = os.path.join(os.path.dirname(HERE), "redirect.py")  # noqa: PTH118, PTH120 -- as above
    spec = importlib.util.spec_from_file_location("_mockserver_redirect", file)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with open(reach["ca"], encoding="ascii") as ca:  # noqa: PTH123 -- as above
        elsewhere = module.NotedHosts(reach["others"], reach["passed"]) if "others" in reach else None
        module.Redirect(reach["hosts"], (reach["host"], reach["port"]), ca.read(), elsewhere).start()


def _load_the_hidden_one() -> None:
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]  # noqa: PTH100 -- as above
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


# What may go wrong: a variable that another run has left, and a Python older than 3.8.
TROUBLE = (OSError, ValueError, LookupError, SyntaxError)

if __name__ == "sitecustomize":
    if "MOCKSERVER_REACH" in os.environ:
        try:
            _redirect()
        except TROUBLE as failure:
            sys.stderr.write("mockserver: this Python does not reach the vendors: " + repr(failure) + "\n")
    _load_the_hidden_one()
