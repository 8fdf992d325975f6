"""pytest runs this: what notebook_run.py adds to nbval notices broken notebooks.

One pytest of its own runs them over a copy of the configuration. What a notebook calls
`claim` is here a line that writes to CLAIMS_FILE.
"""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nbformat
import pytest
import specimen
from nbformat.v4 import new_code_cell, new_notebook
from run_notebooks import ROOT, execute, is_lesson, notebook_paths

pytestmark = pytest.mark.slow
CONFIGURATION = ("conftest.py", "pyproject.toml", "tests/notebook_run.py")
CLAIM = """\
import json, os
def claim(id):
    line = json.dumps({"id": id, "effort": os.environ["HELPERS_EFFORT"]})
    with open(os.environ["CLAIMS_FILE"], "a") as file:
        print(line, file=file)
"""
HINTS = 'mistakes=[(2.0000001, "Half a micron."), (3, "Hidden."), (3, "Shown.")]'
CHECK = f'check_1 = exercise("1", lambda: 7, expected=2, {HINTS})'
IMPORT = "from helpers.checks import exercise\n"
BROKEN = {
    "02_claim": [CLAIM, "claim('reached')\nif False:\n    claim('skipped')"],
    "03_dies": ["x = 1", "import os\nos._exit(1)", "x = 2"],
    "04_raises": ["x = 1", "x = 1 / 0", "x = 2"],
    "05_excused": ["# NBVAL_SKIP\nx = 1", "# NBVAL_RAISES_EXCEPTION\n1 / 0"],
    "06_slow": [
        "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass",
        "x = 2",
    ],
    "07_solved": [IMPORT + CHECK],
    "08_hints": [IMPORT + CHECK.replace("7", "...")],
    "further/09_sound": [CLAIM, "claim('visit')"],
}


def run_pytest(project: Path, *arguments: str, **variables: str):
    """Runs pytest in the project: failures ('file::test' -> message), seconds, text."""
    report = project / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "tools")])
    environment = {**os.environ, "PYTHONPATH": path, **variables}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [*command, f"--junitxml={report}", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert report.exists(), done.stdout + done.stderr
    failures, seconds = {}, {}
    for case in ElementTree.parse(report).iter("testcase"):
        file = case.get("classname").removesuffix(".ipynb").rpartition(".")[2]
        name = f"{file}::{case.get('name')}"
        seconds[name] = float(case.get("time"))
        for failure in [*case.iter("failure"), *case.iter("error")]:
            failures[name] = failure.get("message", "") + (failure.text or "")
    return failures, seconds, done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("tests", "tools", "notebooks/further"):
        (folder / name).mkdir(parents=True)
    for name in CONFIGURATION:
        shutil.copyfile(ROOT / name, folder / name)
    for name, sources in BROKEN.items():
        cells = [*map(new_code_cell, sources)]
        cells[-1].metadata["tags"] = ["check"] if "check_" in sources[-1] else []
        notebook = new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python"}
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
    nbformat.write(specimen.build(), folder / "notebooks" / f"{specimen.STEM}.ipynb")
    return folder


@pytest.fixture(scope="module")
def results(project):
    claims = str(project / "claims.jsonl")
    arguments = ("notebooks", "--nbval-cell-timeout=4")
    return run_pytest(project, *arguments, CLAIMS_FILE=claims, HELPERS_EFFORT="")


def test_each_fault_fails_where_it_is(results):
    failures, seconds, _ = results
    words = {
        "02_claim::claims": "never came to the claim skipped",
        "03_dies::Cell 1": "kernel died",
        "03_dies::Cell 2": "dead",
        "03_dies::claims": "ended",
        "03_dies::exercises": "ended",
        "04_raises::Cell 1": "ZeroDivisionError",
        "05_excused::Cell 0": "excuses",
        "05_excused::Cell 1": "excuses",
        "06_slow::Cell 0": "interrupted",
        "06_slow::Cell 1": "not run",
        "07_solved::Cell 0": "stub is not open",
        "07_solved::exercises": "'Half a micron.' gets: ✓",
        "08_hints::exercises": "'Hidden.' gets: ✗ Exercise 1: Shown.",
    }
    assert {name: words.get(name, "") in failures[name] for name in failures} == {
        name: True for name in words
    }
    assert seconds["03_dies::Cell 1"] < 3


def test_effort_seconds_and_memory_are_told(project, results):
    lines = (project / "claims.jsonl").read_text(encoding="utf-8").splitlines()
    found = {claim["id"]: claim["effort"] for claim in map(json.loads, lines)}
    assert found == {"reached": "full", "visit": "quick"}
    rows = [line.split() for line in results[2].splitlines() if "MiB" in line]
    assert {row[0]: row[1] for row in rows}["09_sound"] == "quick"
    slow = next(row for row in rows if row[0] == "06_slow")
    assert 3 < float(slow[2]) < 10 and float(slow[4].replace(",", "")) > 20


def test_memory_of_children_counts(tmp_path):
    start = "import subprocess, sys\nhold = 'x = bytearray(150_000_000); input()'\n"
    start += "child = subprocess.Popen([sys.executable, '-c', hold], stdin=-1)\n"
    cell = new_code_cell(start + "import time; time.sleep(2); child.kill()")
    run, _ = execute(new_notebook(cells=[cell]), tmp_path)
    assert 150 < run.peak_mib < 500


def test_slow_tests_are_left_out_unless_they_are_named(project):
    test = (
        "import pytest\n@pytest.mark.slow\ndef test_slow(): pass\ndef test_fast(): pass"
    )
    (project / "tests" / "test_two.py").write_text(test, encoding="utf-8")
    fast, slow = "test_two::test_fast", "test_two::test_slow"
    for arguments, expected in [
        (["tests"], {fast}),
        (["tests", "-m", "slow"], {slow}),
        (["tests/test_two.py"], {fast, slow}),
        (["-o", "testpaths=tests"], {fast, slow}),  # nothing is named
    ]:
        assert set(run_pytest(project, *arguments)[1]) == expected


def test_both_tiers_are_listed():
    paths = notebook_paths()
    assert len({path.stem for path in paths}) == len(paths)
    lessons = [path for path in paths if is_lesson(path)]
    assert [path.name[:2] for path in lessons] == [f"{n:02}" for n in range(1, 10)]
    for path in set(paths) - set(lessons):
        before = paths[paths.index(path) - 1]
        assert before.name[:2] == path.name[:2]
