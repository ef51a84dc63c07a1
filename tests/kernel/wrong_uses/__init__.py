"""Programs that mypy must refuse, each on the lines that say which error is expected.

Nobody runs them: `tests/kernel/test_wrong_uses.py` reads them, and mypy's look at all tests leaves
them out.
"""
