"""pytest runs this: the tool that measures a class on one server, with two students."""

import os
import sys
from pathlib import Path

import class_load
import nbformat
import pytest
from class_hub import Hub
from class_load import Load, measure, row
from nbformat.v4 import new_code_cell, new_notebook
from run_notebooks import ROOT, Run


def notebook_at(path, *sources):
    nbformat.write(new_notebook(cells=[*map(new_code_cell, sources)]), path)
    return path


@pytest.mark.slow
def test_two_students_run_at_the_same_time(tmp_path):
    source = "import time\nx = bytearray(60_000_000)\ntime.sleep(2)"
    load = measure(notebook_at(tmp_path / "n.ipynb", source), 2)
    assert len(load.runs) == 2 and not load.problems
    alone = [run.seconds for run in load.runs]
    assert min(alone) >= 2 and load.seconds < sum(alone) + 10
    if load.taken_mib is not None:
        assert all(run.peak_mib > 60 for run in load.runs)


@pytest.mark.slow
def test_failures_are_counted(tmp_path, monkeypatch, capsys):
    path = notebook_at(tmp_path / "n.ipynb", "1 / 0")
    arguments = ["class_load.py", str(path), "--students", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert class_load.main() == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].startswith("| 1 | - | 0 |")
    assert "ZeroDivisionError" in printed.err


@pytest.mark.slow
def test_processes_that_do_not_start_are_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(class_load, "START_SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="not all of 2 processes started"):
        measure(notebook_at(tmp_path / "n.ipynb", "1"), 2)


def test_rows_are_those_of_the_teaching_guide():
    load = Load(10, [Run(100.0, 900.0)] * 10, [], 200.0, taken_mib=6000.0)
    assert row(load, (36.6, 107.2)) == "| 10 | 200 | 180 | 600 | 37 | 107 |"
    assert row(Load(1, [Run(5.0, None)], [], 6.0)) == "| 1 | 6 | 600 | - | - | - |"
    guide = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    assert class_load.HEADER.format("07") in guide


def test_the_server_of_a_student_is_no_number_below_one(tmp_path, monkeypatch):
    path = notebook_at(tmp_path / "n.ipynb", "1")
    monkeypatch.setattr(sys, "argv", ["class_load.py", str(path), "--students", "0"])
    with pytest.raises(SystemExit, match="at least one student"):
        class_load.main()


@pytest.mark.slow
@pytest.mark.skipif(
    not (os.environ.get("JUPYTERHUB") and os.environ.get("HUB_PROXY")),
    reason="no hub: give the paths of jupyterhub and of configurable-http-proxy in "
    "JUPYTERHUB and HUB_PROXY (tools/class_hub.py says how to install them)",
)
def test_two_students_log_in():
    programs = (Path(os.environ[name]) for name in ("JUPYTERHUB", "HUB_PROXY"))
    with Hub(*programs) as hub:
        seconds = hub.log_in(["ada", "bob"])
        assert len(seconds) == 2 and 0 < max(seconds) < 120


def test_a_hub_that_is_not_there(monkeypatch):
    for more in (
        ["--jupyterhub", "absent"],
        ["--jupyterhub", "a", "--proxy", "absent"],
    ):
        monkeypatch.setattr(sys, "argv", ["class_load.py", *more])
        with pytest.raises(SystemExit, match="no such program: a"):
            class_load.main()
