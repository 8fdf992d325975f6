"""Whoever changed a notebook calls this to run it and save its outputs reproducibly.

    python tools/run_notebooks.py [NOTEBOOK ...]      (default: lessons, second visits)

A notebook is saved only if its run succeeded. Two runs save the same bytes, unless a
cell prints a time or an address: time stamps, widget state and the earlier states of
progress bars are dropped. `tools/benchmark.py` and the tests use the same functions.
"""

import argparse
import contextlib
import itertools
import math
import os
import re
import site
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil  # comes with ipykernel
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

import helpers  # noqa: F401  (from here on, any name of a cell can be printed)

ROOT = Path(__file__).resolve().parents[1]
LESSONS, FURTHER = ROOT / "notebooks", "further"
CELL_TIMEOUT = 900  # seconds; the longest notebook may take 360 on two fast cores
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KEPT_CELL_METADATA = {"tags", "jupyter", "slideshow"}
NOTEBOOK_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


class NotebookError(Exception):
    """A notebook did not run to its end; the message says in which cell and why."""


@dataclass
class Run:
    """What one run of a notebook needed, and which cells raised (code cells from 1)."""

    seconds: float = 0.0
    peak_mib: float | None = None
    errors: dict[int, str] = field(default_factory=dict)
    shown: list[tuple[float, bool]] = field(default_factory=list)
    """Seconds until a cell ended that shows something, and whether it is a picture."""

    @property
    def first_picture(self) -> float:
        """Seconds until the first picture; infinite if there is none."""
        return min((when for when, picture in self.shown if picture), default=math.inf)

    @property
    def longest_wait(self) -> float:
        """The longest time, in seconds, in which nothing new appeared."""
        times = [0.0, *(when for when, _ in self.shown), self.seconds]
        return max(later - earlier for earlier, later in itertools.pairwise(times))


class _ThisEnvironment(KernelSpecManager):
    """Knows one kernel: the Python that runs this program."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def kernel_environment(home: str | Path, **more: str) -> dict[str, str]:
    """The environment variables of every kernel that tests and tools start.

    The reader's own settings stay out, and so does the network: the proxy named here is
    a closed port. Matplotlib's list of fonts is the one thing that is reused, because
    building it takes longer than a whole notebook should spend on imports.

    Args:
        home: an empty folder that takes the place of the user's home.
        more: variables to set as well, such as `HELPERS_SEED="3"`.
    """
    import matplotlib

    environment = dict(os.environ)
    environment.pop("MPLBACKEND", None)  # figures must reach the notebook
    environment["PYTHONUSERBASE"] = site.getuserbase()  # it depends on HOME otherwise
    environment["MPLCONFIGDIR"] = matplotlib.get_cachedir()
    environment |= {"HOME": str(home), "IPYTHONDIR": str(Path(home, ".ipython"))}
    environment["XDG_CACHE_HOME"] = str(Path(home, ".cache"))
    # A kernel that is ended by force leaves its temporary folders behind.
    environment["TMPDIR"] = str(home)
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy"):
        environment[name] = environment[name.upper()] = "http://127.0.0.1:9"
    environment["no_proxy"] = environment["NO_PROXY"] = "localhost,127.0.0.1"
    return environment | more


class PeakMemory(threading.Thread):
    """Watches a kernel: `mib` is the most that it and its children held together.

    The kernel's own peak is exact on Linux. What it holds together with children is
    looked at every half second; there, pages that they share count once.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.mib, self._over = 0.0, threading.Event()
        self._kernel = psutil.Process(pid)
        self.start()

    def run(self):
        while not self._over.wait(0.5) and self._kernel.is_running():
            self._look()

    def stop(self) -> float:
        """Looks once more, while the process still runs, and returns `mib`."""
        self._over.set()
        self.join()
        self._look()
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self._kernel.pid}/status").read_text(
                encoding="utf-8"
            )
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                self.mib = max(self.mib, int(found[1]) / 1024)
        return self.mib

    def _look(self):
        with contextlib.suppress(psutil.Error):
            family = [self._kernel, *self._kernel.children(recursive=True)]
            held = [_held_bytes(process, shared=len(family) > 1) for process in family]
            self.mib = max(self.mib, sum(held) / 2**20)


def _held_bytes(process: psutil.Process, *, shared: bool) -> int:
    """The memory of a process; its part only of what it shares, where that is known."""
    try:
        if shared and psutil.LINUX:
            return process.memory_full_info().pss
        return process.memory_info().rss
    except psutil.Error:  # it has just ended
        return 0


def execute(
    notebook: NotebookNode,
    folder: str | Path,
    *,
    keep_going: bool = False,
    afterwards: str = "",
    **variables: str,
) -> tuple[Run, str]:
    """Runs all code cells in a fresh kernel and puts the outputs into `notebook`.

    Args:
        folder: the kernel's working folder.
        keep_going: run the cells after one that raised, as well.
        afterwards: code to run at the end, outside the measurements and the notebook.
        variables: environment variables for the kernel.

    Returns:
        The measurements, and what `afterwards` printed.

    Raises:
        NotebookError: a cell raised (unless `keep_going`) or took too long, or the
            kernel died.
    """
    run = Run()
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=_ThisEnvironment()
    )
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=CELL_TIMEOUT,
        allow_errors=keep_going,
        record_timing=False,
        store_widget_state=False,
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        start = {"cwd": str(folder), "stderr": subprocess.DEVNULL}
        start["env"] = kernel_environment(home, **variables)
        with client.setup_kernel(**start, cleanup_kc=True):
            memory = PeakMemory(manager.provisioner.pid)
            begin = time.perf_counter()
            number = 0
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                number += 1
                _execute_cell(client, cell, index, number)
                kinds = {kind for o in cell.outputs for kind in o.get("data", {})}
                if cell.outputs:
                    picture = any(kind.startswith("image/") for kind in kinds)
                    run.shown.append((time.perf_counter() - begin, picture))
                for output in cell.outputs:
                    if output.output_type == "error":
                        run.errors[number] = f"{output.ename}: {output.evalue}"
            run.seconds = time.perf_counter() - begin
            run.peak_mib = memory.stop()
            printed = ""
            if afterwards:
                cell = nbformat.v4.new_code_cell(afterwards)
                notebook.cells.append(cell)  # the client looks it up by its index
                try:
                    _execute_cell(client, cell, len(notebook.cells) - 1, number + 1)
                finally:
                    notebook.cells.pop()
                printed = "".join(o.text for o in cell.outputs if o.get("text"))
    return run, printed


def _execute_cell(client: NotebookClient, cell: NotebookNode, index: int, number: int):
    first_line = cell.source.strip().partition("\n")[0]
    where = f"code cell {number} ({first_line})"
    try:
        client.execute_cell(cell, index)
    except CellExecutionError as error:
        details = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
        raise NotebookError(f"{where} raised {error.ename}\n{details}") from None
    except CellTimeoutError:
        message = f"{where} took longer than {client.timeout} seconds"
        raise NotebookError(message) from None
    except DeadKernelError:
        reason = "the kernel died (out of memory?)"
        raise NotebookError(f"{where}: {reason}") from None


def clean(notebook: NotebookNode) -> None:
    """Reduces a notebook that was run to what stays the same in the next run."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    number = 0
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA and v}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        cell.outputs = clean_outputs(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def clean_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Merges streams, keeps a progress bar's last state, drops views of widgets."""
    merged: list[NotebookNode] = []
    for output in outputs:
        output = nbformat.from_dict(output)
        if "data" in output and WIDGET_VIEW in output.data:
            del output.data[WIDGET_VIEW]
            output.get("metadata", {}).pop(WIDGET_VIEW, None)
            if set(output.data) <= {"text/plain"}:  # "IntSlider(value=...)"
                continue
        last = merged[-1] if merged else {}
        is_stream = output.output_type == "stream"
        if is_stream and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            output.text = final_text(output.text)
    return [o for o in merged if o.output_type != "stream" or o.text.strip()]


def final_text(text: str) -> str:
    """What is left to see after all carriage returns, without trailing blanks."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        seen = ""
        for part in line.split("\r"):
            seen = part + seen[len(part) :]
        lines.append(seen.rstrip())
    return "\n".join(lines)


def save(notebook: NotebookNode, path: Path) -> None:
    """Writes a notebook; at every moment either the old or the new file exists."""
    text = nbformat.writes(notebook).rstrip("\n") + "\n"  # nbformat sorts the keys
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".ipynb.part")
    try:
        # The same bytes on Windows, where a text file would get other ends of lines.
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def run_and_save(path: Path, **variables: str) -> Run:
    """Runs one notebook in its own folder and saves it; raises NotebookError."""
    notebook = nbformat.read(path, as_version=4)
    run, _ = execute(notebook, path.resolve().parent, **variables)
    clean(notebook)
    nbformat.validate(notebook)
    save(notebook, path)
    return run


def in_words(run: Run) -> str:
    """'103 s, 812 MiB'."""
    memory = "" if run.peak_mib is None else f", {run.peak_mib:,.0f} MiB"
    return f"{run.seconds:.0f} s{memory}"


def notebook_paths(names: list[str] | tuple[str, ...] = ()) -> list[Path]:
    """The named files, or each lesson with its second visits after it.

    Exits with a message when one is missing.
    """
    paths = [Path(name) for name in names]
    if not paths:
        tiers = [LESSONS.glob("*.ipynb"), (LESSONS / FURTHER).glob("*.ipynb")]
        paths = [path for tier in tiers for path in sorted(tier)]
        paths.sort(key=lambda path: path.name[:2])  # stable: the lesson stays in front
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        sys.exit(f"no such notebook: {', '.join(missing) or 'notebooks/*.ipynb'}")
    return paths


def is_lesson(path: Path) -> bool:
    """Whether a notebook is a lesson, and not a second visit."""
    return path.parent.name != FURTHER


def place(path: Path) -> str:
    """Where a notebook lies in the series: "notebooks/further/01_name.ipynb"."""
    tier = "notebooks" if is_lesson(path) else f"notebooks/{FURTHER}"
    return f"{tier}/{path.name}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK")
    failures = 0
    for path in notebook_paths(parser.parse_args().notebooks):
        print(f"{path.name}: ", end="", flush=True)
        try:
            print(in_words(run_and_save(path)))
        except NotebookError as error:
            failures += 1
            print(f"not saved: {error}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
