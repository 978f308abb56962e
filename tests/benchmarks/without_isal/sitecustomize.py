"""On PYTHONPATH this makes ``import isal`` fail, in a process and in every worker it starts."""

import sys

sys.modules["isal"] = None  # type: ignore[assignment]  # documented: the import then fails
