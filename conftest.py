"""pytest reads this first: tests/notebook_run.py says how notebooks are run."""

import sys

pytest_plugins = ["notebook_run"]


def pytest_runtest_setup():
    """Each test draws the same numbers in every run, alone and among others."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


def pytest_collection_modifyitems(config, items):
    """Leaves the slow tests of the folder tests/ out of `pytest tests`.

    They run by `pytest` alone, with an expression for marks, and when a file, a folder
    or a test is named that holds them.
    """
    if config.args_source is not config.ArgsSource.ARGS or config.option.markexpr:
        return
    start = config.invocation_params.dir
    named = {(start / arg.partition("::")[0]).resolve() for arg in config.args}
    named.discard(config.rootpath / "tests")
    left_out = [
        item
        for item in items
        if item.get_closest_marker("slow")
        and not any(item.path.is_relative_to(path) for path in named)
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
