"""pytest reads this first: tests/notebook_run.py says how notebooks are run."""

pytest_plugins = ["notebook_run"]
