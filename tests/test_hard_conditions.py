"""pytest runs this: notebooks work where machines are small, locked down, or disturbed.

By default a small notebook is run that does what the series does. With
HARD_CONDITIONS=all each notebook of the series is run, at quick effort, under each
condition: this takes an hour or two.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import small_notebook
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode
from run_notebooks import ROOT, execute, kernel_environment, notebook_paths

pytestmark = pytest.mark.slow
SERIES = {path.stem: path for path in notebook_paths()}
ALL = os.environ.get("HARD_CONDITIONS") == "all"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a limit that Linux has")
CELL_SECONDS = 900
PYTHONS = [f"python3.{minor}" for minor in (11, 12, 13, 14)]

NO_BFLOAT16 = """
import torch
torch.cpu.get_capabilities = lambda: {"avx2": True}  # a machine of ten years ago
"""
CAPPED = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (1_500_000_000, 1_500_000_000))
"""
NO_NETWORK = """
import socket
class Offline(socket.socket):
    def connect(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
            raise AssertionError(f"a connection to {address} was tried")
        return super().connect(address)
socket.socket = Offline
"""
# The kernels of this process see a repository that nobody can write to, or no network.
RUNNER = """
import fcntl, json, socket, struct, sys
from pathlib import Path
root, notebook, folder, condition, variables = sys.argv[1:]
sys.path[:0] = [root, f"{root}/tools"]
def works(function, *arguments, **more):
    try:
        function(*arguments, **more)
    except OSError:
        return False
    return True
if condition == "read-only":
    assert not works(Path(root, "probe").write_text, "x"), "the repository is writable"
else:
    with socket.socket() as plug:  # kernels are reached over the loopback: switch it on
        name = struct.pack("16sh", b"lo", 1 | 64)
        fcntl.ioctl(plug, 0x8914, name)
    address = ("192.0.2.1", 80)
    assert not works(socket.create_connection, address, timeout=2), "there is a network"
import nbformat
from run_notebooks import execute
execute(nbformat.read(notebook, as_version=4), folder, **json.loads(variables))
print("ran to its end")
"""
READ_ONLY = (
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd / && exec "$@"'
)
ISOLATED = {
    "read-only": ["unshare", "-rm", "sh", "-c", READ_ONLY, str(ROOT)],
    "no network": ["unshare", "-rn"],
}


def notebooks():
    names = ["small", *(SERIES if ALL else ())]
    return pytest.mark.parametrize("name", names)


def load(name: str) -> NotebookNode:
    if name == "small":
        return small_notebook.build()
    return nbformat.read(SERIES[name], as_version=4)


def variables(name: str, folder: Path, startup: str = "", **more: str) -> dict:
    """What a kernel gets to see; `startup` runs in it before the first cell."""
    profile = folder / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "00.py").write_text(startup, encoding="utf-8")
    if name == "small":
        (folder / "expected.toml").write_text(small_notebook.EXPECTED, encoding="utf-8")
    effort = {"HELPERS_EFFORT": "quick"} if name != "small" else {}
    return effort | {"IPYTHONDIR": str(folder / "ipython")} | more


def printed(notebook: NotebookNode) -> str:
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


@notebooks()
def test_one_core_without_bfloat16(name, tmp_path):
    notebook = load(name)
    execute(notebook, tmp_path, **variables(name, tmp_path, NO_BFLOAT16, CPU_LIMIT="1"))
    assert "1 core" in printed(notebook)
    assert name != "small" or "torch.float32" in printed(notebook)


@LINUX
@notebooks()
def test_memory_capped(name, tmp_path):
    execute(load(name), tmp_path, **variables(name, tmp_path, CAPPED))


@LINUX
def test_the_cap_holds(tmp_path):
    """A cell that needs more gets an error, and the kernel goes on."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("import torch\nx = torch.ones(400_000_000)"),
            nbformat.v4.new_code_cell("print(torch.ones(3).sum().item())"),
        ]
    )
    run, _ = execute(
        notebook, tmp_path, keep_going=True, **variables("small", tmp_path, CAPPED)
    )
    assert list(run.errors) == [1] and "memory" in run.errors[1]
    assert "3.0" in printed(notebook)


@notebooks()
def test_cells_run_twice(name, tmp_path):
    notebook = load(name)
    notebook.cells = [cell for cell in notebook.cells for cell in (cell, _copy(cell))]
    execute(notebook, tmp_path, **variables(name, tmp_path))


@notebooks()
def test_all_run_twice_from_the_top(name, tmp_path):
    notebook = load(name)
    notebook.cells += [_copy(cell) for cell in notebook.cells]
    execute(notebook, tmp_path, **variables(name, tmp_path))


def _copy(cell: NotebookNode) -> NotebookNode:
    cell = nbformat.from_dict(cell)
    cell.id += "-again"
    return cell


@notebooks()
def test_another_working_folder(name, tmp_path):
    """Nothing is read from the notebook's own folder, and nothing is left behind."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    before = files(ROOT)
    execute(load(name), folder, **variables(name, tmp_path))
    assert list(folder.iterdir()) == []
    assert files(ROOT) == before


def files(root: Path) -> dict[str, int]:
    """The sources and notebooks below a folder, with the time of their last change."""
    folders = [root / name for name in ("helpers", "notebooks", "tools", "tests")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(p): p.stat().st_mtime_ns for p in paths if "__pycache__" not in str(p)}


@notebooks()
def test_no_connection_is_tried(name, tmp_path):
    execute(load(name), tmp_path, **variables(name, tmp_path, NO_NETWORK))


@LINUX
@pytest.mark.parametrize("condition", ISOLATED)
@notebooks()
def test_isolated(name, condition, tmp_path):
    prefix = ISOLATED[condition]
    if not shutil.which("unshare") or subprocess.call([*prefix, "true"]):
        pytest.skip(f"this system does not let a user make a place with {condition}")
    path, folder = tmp_path / "notebook.ipynb", tmp_path / "elsewhere"
    folder.mkdir()
    nbformat.write(load(name), path)
    settings = json.dumps(variables(name, tmp_path))
    command = [*prefix, sys.executable, "-c", RUNNER, str(ROOT), str(path), str(folder)]
    done = subprocess.run(
        [*command, condition, settings], capture_output=True, text=True
    )
    assert done.stdout.endswith("ran to its end\n"), done.stderr


@notebooks()
def test_interrupted_while_training(name, tmp_path):
    """The first training is stopped after a moment; then all cells run to their end."""
    cells = [cell.source for cell in load(name).cells if cell.cell_type == "code"]
    training = next((i for i, source in enumerate(cells) if "= fit(" in source), None)
    if training is None:
        pytest.skip("no cell of this notebook calls `fit` itself")
    long = cells[training].replace("epochs=4", "epochs=1000")  # of the small notebook
    environment = kernel_environment(tmp_path, **variables(name, tmp_path))
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=environment, cwd=str(tmp_path), stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        for source in cells[:training]:
            assert reply(client, source)["status"] == "ok"
        request = client.execute(long)
        time.sleep(2)
        manager.interrupt_kernel()
        stopped = answer_to(client, request)
        # `fit` ends early and says so; elsewhere the interrupt is an error.
        assert stopped.get("ename", "KeyboardInterrupt") == "KeyboardInterrupt"
        if name == "small":
            assert reply(client, "assert history.interrupted")["status"] == "ok"
        again = [reply(client, source) for source in cells]
        problems = [r.get("evalue") for r in again if r["status"] != "ok"]
        assert problems == []
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def reply(client, source: str) -> dict:
    return answer_to(client, client.execute(source))


def answer_to(client, request: str) -> dict:
    while True:
        message = client.get_shell_msg(timeout=CELL_SECONDS)
        if message["parent_header"]["msg_id"] == request:
            return message["content"]


# Other versions of Python: `PYTHONS` names more of them, with ":" between


def interpreters() -> list[str]:
    """Paths of the interpreters from 3.11 on that really start."""
    named = os.environ.get("PYTHONS", "").split(os.pathsep)
    found = {}
    for candidate in [sys.executable, *named, *PYTHONS]:
        path = shutil.which(candidate) if candidate else None
        if path:
            ask = [path, "-c", "import sys; print(sys.version_info[:2])"]
            answer = subprocess.run(ask, capture_output=True, text=True)
            version = ast.literal_eval(answer.stdout.strip() or "()")
            if version >= (3, 11):
                found.setdefault(version, path)
    return [found[version] for version in sorted(found)]


@LINUX
def test_older_interpreters_are_left_out(tmp_path, monkeypatch):
    for version in ("(3, 9)", "(4, 0)", ""):
        path = tmp_path / f"python{version}"
        path.write_text(f"#!/bin/sh\necho '{version}'", encoding="utf-8")
        path.chmod(0o755)
    monkeypatch.setenv("PYTHONS", os.pathsep.join(map(str, tmp_path.iterdir())))
    found = [path for path in interpreters() if path.startswith(str(tmp_path))]
    assert found == [str(tmp_path / "python(4, 0)")]


@pytest.mark.parametrize("python", interpreters())
def test_sources_are_python_for(python, tmp_path):
    for folder in ("helpers", "tools", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for path in SERIES.values():
        cells = nbformat.read(path, as_version=4).cells
        code = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
        ast.parse(code)
        (tmp_path / f"n{path.stem}.py").write_text(code, encoding="utf-8")
    command = [python, "-W", "error", "-m", "compileall", "-q", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("python", interpreters())
def test_helpers_run_with(python, tmp_path):
    needed = "import torch, matplotlib, ipywidgets, PIL, tqdm"
    if subprocess.run([python, "-c", needed], capture_output=True).returncode:
        pytest.skip(f"{python} has not got the packages of requirements.txt")
    code = "\n\n".join(small_notebook.CELLS)
    (tmp_path / "expected.toml").write_text(small_notebook.EXPECTED, encoding="utf-8")
    settings = dict(PYTHONPATH=str(ROOT), MPLBACKEND="agg")
    where = dict(cwd=tmp_path, env=os.environ | settings)
    done = subprocess.run([python, "-c", code], **where, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "✓ squared error of 30 numbers" in done.stdout
