"""pytest loads this through conftest.py: how nbval runs the notebooks of the series.

nbval runs each code cell as a test. Left alone, it waits for a kernel that has died,
and lets cells pass that never ran; here both fail at once. Two tests follow the cells:

    01_plain_autoencoder.ipynb::claims      each claim in its source was really checked
    01_plain_autoencoder.ipynb::exercises   each known mistake gets its hint

Lessons run at full effort, second visits at quick effort, unless HELPERS_EFFORT is set.
Their seconds and memory are printed at the end, and no test fails because of them.
"""

import ast
import json
import os
import tempfile
import time
from pathlib import Path
from queue import Empty
from unittest import mock

import nbval.plugin
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile
from run_notebooks import PeakMemory, is_lesson, kernel_environment

MEASURED = pytest.StashKey[list[tuple[str, str, float, float]]]()
# Run in the kernel after the last cell: only there are the values that a check expects.
AUDIT = """
def audit_of_exercises(names):
    for name, check in sorted(names.items()):
        if name.startswith("check_") and hasattr(check, "judge"):
            right, message = check.judge(check.expected)
            if not right:
                yield f"{name} rejects the expected answer: {message}"
            for wrong, hint in check.mistakes:
                right, message = check.judge(wrong)
                if right or not message.endswith(hint):
                    yield f"{name}: the answer with the hint {hint!r} gets: {message}"
"""


class Kernel(RunningKernel):
    """nbval's kernel; here its death ends all waiting."""

    def await_reply(self, msg_id, timeout=None):
        end = time.monotonic() + (timeout or float("inf"))
        while True:
            alive = self.is_alive()  # asked before, because a reply may precede a death
            try:
                return super().await_reply(msg_id, timeout=0.5)
            except Empty:
                if not alive:
                    raise RuntimeError("The kernel died (out of memory?).") from None
                if time.monotonic() > end:
                    raise


nbval.plugin.RunningKernel = Kernel


class Notebook(IPyNbFile):
    """A notebook: its code cells, then the tests of its whole run."""

    def collect(self):
        for cell in super().collect():
            more = dict(cell_num=cell.cell_num, cell=cell.cell, options=cell.options)
            yield Cell.from_parent(self, name=cell.name, **more)
        for test in (Claims, Exercises):
            yield test.from_parent(self, name=test.__name__.lower())

    def setup(self):
        self.seconds = 0.0
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.claims = Path(self.home.name, "claims.jsonl")
        self.claims.touch()
        effort = "full" if is_lesson(self.path) else "quick"
        self.effort = os.environ.get("HELPERS_EFFORT") or effort
        variables = dict(HELPERS_EFFORT=self.effort, CLAIMS_FILE=str(self.claims))
        environment = kernel_environment(self.home.name, **variables)
        with mock.patch.dict(os.environ, environment, clear=True):
            super().setup()  # starts a kernel in this environment
        self.memory = PeakMemory(self.kernel.km.provisioner.pid)

    def teardown(self):
        row = (self.path.stem, self.effort, self.seconds, self.memory.stop())
        self.config.stash.setdefault(MEASURED, []).append(row)
        super().teardown()
        if os.environ.get("CLAIMS_FILE"):  # for whoever wants those of all notebooks
            with open(os.environ["CLAIMS_FILE"], "a", encoding="utf-8") as file:
                file.write(self.claims.read_text(encoding="utf-8"))
        self.home.cleanup()


class Cell(IPyNbCell):
    """A code cell, which passes only if the kernel ran it to its end."""

    def setup(self):
        """Does not excuse the cells after one that took too long, as nbval would."""

    def runtest(self):
        if self.options["skip"] or self.options["check_exception"]:
            self.raise_cell_error("A tag or comment of nbval excuses this cell.")
        if self.parent.timed_out:
            self.raise_cell_error("It was not run: a cell above took too long.")
        begin = time.perf_counter()
        try:
            super().runtest()
        finally:
            self.parent.seconds += time.perf_counter() - begin
        if self.parent.timed_out:  # `fit` ends in order when it is interrupted
            self.raise_cell_error("It took too long and was interrupted.")
        if "check" in self.cell.metadata.get("tags", []):
            printed = "".join(output.get("text", "") for output in self.test_outputs)
            if "is open: replace" not in printed:
                self.raise_cell_error(f"The stub is not open, it says: {printed!r}")


class WholeRun(pytest.Item):
    """A test after the last cell: `problems` says in sentences what was wrong."""

    def runtest(self):
        alive = self.parent.kernel.is_alive()
        if problems := [*self.problems()] if alive else ["The kernel has ended."]:
            raise AssertionError("\n".join(problems))

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, None, f"{self.parent.path.name}::{self.name}"


class Claims(WholeRun):
    """Every claim in the source left its line in CLAIMS_FILE, so none was skipped."""

    def problems(self):
        lines = self.parent.claims.read_text(encoding="utf-8").splitlines()
        checked = {json.loads(line)["id"] for line in lines}
        code = [c.source for c in self.parent.nb.cells if c.cell_type == "code"]
        for id in claim_ids("\n".join(code)):
            if id not in checked:
                yield f"its run never came to the claim {id}."


class Exercises(WholeRun):
    """Each check accepts its answer and knows its mistakes.

    That stubs were open is asked of the cell with the check, and that a solution
    satisfies its check is asserted by the solution.
    """

    def problems(self):
        answer = {"answer": r"'\n'.join(audit_of_exercises(globals()))"}
        reply = self.parent.kernel.kc.execute_interactive(
            AUDIT, store_history=False, user_expressions=answer, timeout=60
        )
        answer = reply["content"]["user_expressions"]["answer"]
        text = answer.get("data", {}).get("text/plain", "'the audit failed'")
        return ast.literal_eval(text).splitlines()


def claim_ids(source: str) -> list[str]:
    """The ids of all calls of `claim` in a piece of Python source."""
    calls = [node for node in ast.walk(ast.parse(source)) if type(node) is ast.Call]
    return [
        str(getattr(call.args[0], "value", ast.unparse(call.args[0])))
        for call in calls
        if ast.unparse(call.func).split(".")[-1] == "claim" and call.args
    ]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Puts a `Notebook` in the place of each that nbval collects."""
    collectors = yield
    return [
        Notebook.from_parent(parent, path=file_path) if isinstance(c, IPyNbFile) else c
        for c in collectors
    ]


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(MEASURED, [])
    if rows:
        terminalreporter.section("seconds and memory of notebooks")
    for name, effort, seconds, mib in rows:
        terminalreporter.line(f"{name:36} {effort:6} {seconds:5.0f} s {mib:6,.0f} MiB")
