"""pytest loads this through conftest.py, so that nbval misses nothing in a notebook.

nbval runs each code cell of a notebook as a test. By itself it waits for the end of the
timeout when a kernel has died, and lets cells pass that never ran. Here both fail at
once, and each notebook gets four more tests after its last cell:

    01_plain_autoencoder.ipynb::memory      peak memory of its kernel within the budget
    01_plain_autoencoder.ipynb::seconds     its cells took no longer than the budget
    01_plain_autoencoder.ipynb::claims      each claim in its source was really checked
    01_plain_autoencoder.ipynb::exercises   stubs are open, wrong answers get their hint
"""

import ast
import json
import os
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from queue import Empty

import pytest
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel, start_new_kernel
from nbval.plugin import IPyNbCell, IPyNbFile
from run_notebooks import kernel_environment, peak_mib

# Seconds on two cores with bfloat16; the other notebooks have the default.
SECONDS = {"02": 240, "07": 360, "08": 240, "09": 360}
DEFAULT_SECONDS = 120
QUICK_SECONDS = 240  # quick effort on one slow core, any notebook
# Machines of CI services differ by a factor of two from day to day, and other programs
# may run beside the tests: too slow by more is an error, by less a warning to look at.
TOLERATED = 2.0
# Run in the kernel after the last cell: only there are the values that a check expects.
AUDIT = """
def audit_of_exercises(names):
    for check in [value for name, value in names.items()
                  if name.startswith("check_") and hasattr(value, "judge")]:
        right, message = check.judge(check.expected)
        if not right:
            yield f"the expected answer is rejected: {message}"
        for wrong, hint in check.mistakes:
            right, message = check.judge(wrong)
            if right or not message.endswith(hint):
                yield f"the answer with the hint {hint!r} gets: {message}"
"""


class KernelDiedError(Exception):
    """The kernel's process ended while a cell was running."""


class Kernel(RunningKernel):
    """nbval's kernel, with an environment of its own and an eye on its process."""

    def __init__(self, kernel_name: str, cwd: str, startup_timeout: float, env: dict):
        with open(os.devnull, "w") as nowhere:
            self.km, self.kc = start_new_kernel(
                startup_timeout, kernel_name, stderr=nowhere, cwd=cwd, env=env
            )
        self.pid = self.km.provisioner.pid
        self.status = ""  # of the last reply: ok, error or aborted
        self.started = set()  # ids of the requests that the kernel began to execute
        self.last_id = ""
        self._ensure_iopub_up()

    def execute_cell_input(self, cell_input, allow_stdin=None):
        self.status = ""
        self.last_id = super().execute_cell_input(cell_input, allow_stdin)
        return self.last_id

    def await_reply(self, msg_id, timeout=None):
        end = time.monotonic() + (timeout or float("inf"))
        while True:
            alive = self.is_alive()  # asked before, because a reply may precede a death
            try:
                message = self.get_message("shell", timeout=0.5)
            except Empty:
                if not alive:
                    raise KernelDiedError(self._death()) from None
                if time.monotonic() > end:
                    raise
                continue
            if message["parent_header"].get("msg_id") == msg_id:
                self.status = message["content"]["status"]
                return

    def get_message(self, stream, timeout=None):
        message = super().get_message(stream, timeout)
        if message["msg_type"] == "execute_input":
            self.started.add(message["parent_header"].get("msg_id"))
        return message

    def ask(self, expression: str, default: str, code: str = "") -> str:
        """The value of an expression in the kernel, as text; `code` runs before it."""
        self.kc.execute(code, silent=True, user_expressions={"answer": expression})
        try:
            reply = self.kc.get_shell_msg(timeout=5)["content"]
            return ast.literal_eval(
                reply["user_expressions"]["answer"]["data"]["text/plain"]
            )
        except (Empty, KeyError, ValueError, SyntaxError):
            return default

    def _death(self) -> str:
        code = getattr(self.km.provisioner.process, "returncode", None)
        return (
            f"The kernel died while it ran this cell (exit status {code}). Most often "
            "it needed more memory than there was: -9 means that the system killed it."
        )


class Notebook(IPyNbFile):
    """A notebook: its code cells, then the checks of the whole run."""

    def collect(self):
        for cell in super().collect():
            arguments = {"cell_num": cell.cell_num, "cell": cell.cell}
            yield Cell.from_parent(
                self, name=cell.name, options=cell.options, **arguments
            )
        for check in (Memory, Seconds, Claims, Exercises):
            yield check.from_parent(self, name=check.__name__.lower())

    def setup(self):
        self.printed = {}  # by each cell with an exercise's check
        self.executed = {}  # seconds of each cell that ran to its end or raised
        self.not_executed = None  # why no further cell can run
        self.home = tempfile.mkdtemp(prefix="notebook-")
        self.claims_file = Path(self.home, "claims.jsonl")
        option = self.config.option
        name = option.nbval_kernel_name or self.nb.metadata.kernelspec.name
        self.kernel = Kernel(
            CURRENT_ENV_KERNEL_NAME if option.nbval_current_env else name,
            str(self.path.parent),
            option.nbval_kernel_startup_timeout,
            kernel_environment(self.home, CLAIMS_FILE=str(self.claims_file)),
        )
        self.setup_sanitize_files()

    def teardown(self):
        if self.kernel is not None and hasattr(self.kernel, "km"):
            self.kernel.stop()
        if os.environ.get(
            "CLAIMS_FILE"
        ):  # for whoever wants the claims of all notebooks
            with open(os.environ["CLAIMS_FILE"], "a", encoding="utf-8") as file:
                file.write(self.claims_text())
        shutil.rmtree(self.home, ignore_errors=True)

    def claims_text(self) -> str:
        """Lines of JSON that the notebook has written so far."""
        exists = self.claims_file.exists()
        return self.claims_file.read_text(encoding="utf-8") if exists else ""


class Cell(IPyNbCell):
    """A code cell, which fails unless the kernel really executed it."""

    def setup(self):
        """Does not excuse the cells after one that took too long, as nbval would."""

    def runtest(self):
        book, kernel = self.parent, self.parent.kernel
        if self.options["skip"]:
            self.raise_cell_error("A tag or comment of nbval skips this cell.")
        if book.not_executed:
            self.raise_cell_error(f"This cell was not executed: {book.not_executed}.")
        if not kernel.is_alive():
            book.not_executed = f"the kernel ended before cell {self.cell_num}"
            self.raise_cell_error(f"This cell was not executed: {book.not_executed}.")
        begin = time.perf_counter()
        try:
            super().runtest()
        except KernelDiedError as death:
            book.not_executed = f"the kernel died in cell {self.cell_num}"
            self.raise_cell_error(str(death))
        finally:
            if book.timed_out:
                book.not_executed = f"cell {self.cell_num} took too long"
            if kernel.status in ("ok", "error"):
                book.executed[self.cell_num] = time.perf_counter() - begin
        if kernel.last_id not in kernel.started or self.cell_num not in book.executed:
            self.raise_cell_error("The kernel did not execute this cell.")
        if self.options["check_exception"] and kernel.status == "ok":
            self.raise_cell_error(
                "This cell is tagged raises-exception, but raised none."
            )
        if "check" in self.cell.metadata.get("tags", []):
            texts = [output.get("text", "") for output in self.test_outputs]
            book.printed[self.cell_num] = "".join(texts)


class WholeRun(pytest.Item):
    """A check of a notebook after its last cell."""

    def runtest(self):
        book = self.parent
        selected = [i for i in self.session.items if i.parent is book]
        cells = sum(cell.cell_type == "code" for cell in book.nb.cells)
        if sum(isinstance(item, Cell) for item in selected) < cells:
            pytest.skip("only some cells of this notebook were selected")
        if len(book.executed) < cells:
            message = (
                f"{cells - len(book.executed)} of {cells} cells were not executed."
            )
            raise AssertionError(message)
        self.check()

    def check(self):
        raise NotImplementedError

    def repr_failure(self, excinfo):
        return f"{self.parent.path.name}: {excinfo.value}"

    def reportinfo(self):
        return self.path, None, f"{self.parent.path.name}::{self.name}"


class Memory(WholeRun):
    """The kernel's peak memory stays within the budget; it is still running."""

    def check(self):
        budget = float(self.config.getini("notebook_memory_mib"))
        try:
            peak = peak_mib(self.parent.kernel.pid)
        except ProcessLookupError:
            raise AssertionError(
                "The kernel ended before its memory was read."
            ) from None
        if peak is None:
            pytest.skip(
                "this system has no /proc to read the kernel's peak memory from"
            )
        self.add_report_section("call", "memory", f"{peak:,.0f} MiB")
        if peak > budget:
            message = (
                f"its kernel took {peak:,.0f} MiB, the budget is {budget:,.0f} MiB."
            )
            raise AssertionError(message)


class Seconds(WholeRun):
    """The cells together stay within the notebook's budget of seconds."""

    def check(self):
        effort = "__import__('helpers.runtime').runtime.current().effort"
        quick = self.parent.kernel.ask(effort, default="full") == "quick"
        budget = QUICK_SECONDS if quick else seconds_budget(self.parent.path.name)
        judge_seconds(sum(self.parent.executed.values()), budget)


class Claims(WholeRun):
    """Every claim in the source left its line in CLAIMS_FILE, so none was skipped."""

    def check(self):
        lines = self.parent.claims_text().splitlines()
        seen = {json.loads(line)["id"] for line in lines}
        code = [c.source for c in self.parent.nb.cells if c.cell_type == "code"]
        missing = [id for id in claim_ids("\n".join(code)) if id not in seen]
        if missing:
            names = ", ".join(missing)
            raise AssertionError(f"its run never came to these claims: {names}.")


class Exercises(WholeRun):
    """Stubs were open when their check ran, and each known mistake gets its hint.

    That each solution satisfies its check is asserted by the solution's own cell.
    """

    def check(self):
        problems = [
            f"the check in cell {number} does not say what is missing: {text!r}"
            for number, text in self.parent.printed.items()
            if "is open: replace" not in text
        ]
        expression = "'\\n'.join(audit_of_exercises(globals()))"
        answer = self.parent.kernel.ask(expression, "the kernel gave no answer", AUDIT)
        problems += answer.splitlines()
        if problems:
            raise AssertionError("\n".join(["its exercises:", *problems]))


def seconds_budget(name: str) -> float:
    """Seconds that the notebook with this file name may take at full effort."""
    return SECONDS.get(name[:2], DEFAULT_SECONDS)


def judge_seconds(seconds: float, budget: float) -> None:
    """Warns above the budget, raises AssertionError above the tolerated multiple."""
    message = f"its cells took {seconds:.0f} s, the budget is {budget:.0f} s."
    if seconds > TOLERATED * budget:
        raise AssertionError(message)
    if seconds > budget:
        warnings.warn(message, stacklevel=2)


def claim_calls(source: str) -> list[ast.Call]:
    """All calls of `claim` or `checks.claim` in a piece of Python source."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", ""))
        == "claim"
    ]


def claim_ids(source: str) -> list[str]:
    """The ids of these calls, as far as they are literal strings."""
    firsts = [call.args[0] for call in claim_calls(source) if call.args]
    literals = [first for first in firsts if isinstance(first, ast.Constant)]
    return [str(literal.value) for literal in literals]


def pytest_addoption(parser):
    parser.addini(
        "notebook_memory_mib",
        "peak memory that a notebook's kernel may reach",
        default="1000",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Puts a hardened notebook in the place of each that nbval collects."""
    collectors = yield
    return [
        Notebook.from_parent(parent, path=file_path) if isinstance(c, IPyNbFile) else c
        for c in collectors
    ]
