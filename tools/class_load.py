"""A teacher calls this on the server of the class: how many students can run at once?

    python tools/class_load.py                     lesson 07, quick effort, a core each
    python tools/class_load.py NOTEBOOK --students 1 5 10 20 --effort full --cores 0
    ... --jupyterhub hub/bin/jupyterhub \\
        --proxy node_modules/.bin/configurable-http-proxy

It prints the table of TEACHING.md. For each number of students, as many kernels start
at the same moment and run the whole notebook, as if everybody pressed "Run All Cells"
together; `--cores 0` leaves `CPU_LIMIT` out, as on a computer of one's own. With the
two programs (class_hub.py says how to install them) as many students then log in to a
hub. Run nothing else beside it.
"""

import argparse
import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from run_notebooks import LESSONS, NotebookError, Run, execute

START_SECONDS = 300  # until so many processes have imported their packages
NOTEBOOK = LESSONS / "07_variational_autoencoder.ipynb"


@dataclass
class Load:
    """What it was like for a number of students who ran the same notebook at once."""

    students: int
    runs: list[Run] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0  # until the last one was through, with the start of kernels
    taken_mib: float | None = None  # from the whole machine, at the worst moment


class MemoryTaken:
    """A thread that watches how far the machine's free memory falls."""

    def __enter__(self):
        self.most, self.begin = 0.0, available_mib()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while self.begin is not None and not self._stop.wait(0.25):
            self.most = max(self.most, self.begin - available_mib())


def available_mib() -> float | None:
    """Memory that programs could still get; None where there is no /proc."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return None
    line = next(line for line in text.splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) / 1024


def measure(path: Path, students: int, **variables: str) -> Load:
    """Lets so many kernels run the notebook at the same time.

    Each student has a process of his own, as on a server: of twenty kernels that one
    process looked after in threads, one was waited for without end. These processes
    are there before the measurement of memory begins.

    Raises:
        RuntimeError: such a process did not start in time, or (BrokenProcessPool) was
            killed; too little memory, most likely.
    """
    load, processes = Load(students), multiprocessing.get_context("spawn")
    together = processes.Barrier(students + 1, timeout=START_SECONDS)
    with ProcessPoolExecutor(students, processes, together.wait) as pool:
        tasks = [pool.submit(_study, path, variables) for _ in range(students)]
        try:
            together.wait()
        except threading.BrokenBarrierError:
            raise RuntimeError(
                f"not all of {students} processes started in {START_SECONDS} seconds; "
                "try fewer students, or a machine with more memory"
            ) from None
        with MemoryTaken() as memory:
            begin = time.perf_counter()
            for task in tasks:
                run, problem = task.result()
                if run is None:
                    load.problems.append(problem)
                else:
                    load.runs.append(run)
            load.seconds = time.perf_counter() - begin
    load.taken_mib = memory.most if memory.begin is not None else None
    return load


def _study(path: Path, variables: dict[str, str]) -> tuple[Run | None, str]:
    """One student: his measurements, or None and what went wrong."""
    notebook = nbformat.read(path, as_version=4)
    try:
        return execute(notebook, path.resolve().parent, **variables)[0], ""
    except NotebookError as error:
        return None, str(error)


def row(load: Load, hub: tuple[float, float] | None = None) -> str:
    """A line of the table; `hub` is what class_hub.log_in_together gave."""
    taken = "-" if load.taken_mib is None else f"{load.taken_mib / load.students:,.0f}"
    cells = [
        f"{load.students}",
        f"{load.seconds:,.0f}" if load.runs else "-",
        f"{len(load.runs) / load.seconds * 3600:.0f}",
        taken,
        *(["-", "-"] if hub is None else [f"{number:,.0f}" for number in hub]),
    ]
    return "| " + " | ".join(cells) + " |"


HEADER = """\
| students | seconds until all are through {} | runs an hour | MiB a student takes | \
seconds until all have JupyterLab | MiB of a student's server |
|---|---|---|---|---|---|"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("notebook", type=Path, metavar="NOTEBOOK", nargs="?", default=NOTEBOOK)
    add("--students", nargs="+", type=int, default=[1, 5, 10, 20], metavar="N")
    add("--effort", choices=["full", "quick"], default="quick")
    add("--cores", type=int, default=1, help="CPU_LIMIT of each (default 1; 0: none)")
    add("--jupyterhub", type=Path, metavar="PATH", help="also measure a hub")
    add("--proxy", type=Path, metavar="PATH", help="its configurable-http-proxy")
    options = parser.parse_args()
    if not options.notebook.is_file():
        sys.exit(f"no such notebook: {options.notebook}")
    if min(options.students) < 1:
        sys.exit("there is at least one student")
    programs = [path for path in (options.jupyterhub, options.proxy) if path]
    for path in programs:
        if not path.exists() or len(programs) == 1:
            sys.exit(f"no such program: {path}; --jupyterhub and --proxy go together")
    variables = {"HELPERS_EFFORT": options.effort}
    if options.cores:
        variables["CPU_LIMIT"] = str(options.cores)
    memory = available_mib()
    free = "" if memory is None else f", {memory / 1024:.0f} GiB free"
    machine = f"{os.cpu_count()} cores{free}"
    print(f"{options.notebook.stem}, {options.effort} effort, {machine}\n")
    print(HEADER.format(options.notebook.stem[:2]))
    failures = 0
    for students in options.students:
        load, hub = measure(options.notebook, students, **variables), None
        if programs:
            from class_hub import log_in_together

            hub = log_in_together(*programs, students)
        print(row(load, hub), flush=True)
        for problem in load.problems[:1]:
            print(f"{students} students, first problem: {problem}", file=sys.stderr)
        failures += len(load.problems)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
