"""pytest runs this: the tools that run and save notebooks and print the benchmark."""

import math
import sys
import tempfile
from pathlib import Path

import benchmark
import nbformat
import pytest
import run_notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from run_notebooks import NotebookError, clean, clean_outputs, final_text, run_and_save

WIDGET = {run_notebooks.WIDGET_VIEW: {"model_id": "ab12"}, "text/plain": "IntSlider()"}
TABLE = '[{}]\nsays = "small"\nat_most = 3\n'


def notebook_at(path: Path, *sources: str) -> Path:
    cells = [new_markdown_cell("# Tiny"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain  \n", "plain\n"),
        ("10 %\r20 %\r100 %\n", "100 %\n"),
        ("long line\rshort", "shortline"),  # as a terminal shows it
        ("bar 100 %\r         \rdone\n", "done\n"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("one\ntwo 1\rtwo 2\nthree", "one\ntwo 2\nthree"),
    ],
)
def test_final_text(text, expected):
    assert final_text(text) == expected


def test_streams_are_merged_and_blank_ones_dropped():
    parts = ["loss 3", "\rloss 2", "\rloss 1\n"]
    outputs = [new_output("stream", name="stdout", text=part) for part in parts]
    outputs.append(new_output("display_data", data={"text/html": "<b>x</b>"}))
    outputs.append(new_output("stream", name="stdout", text="50 %\r    \r"))
    cleaned = clean_outputs(outputs)
    assert [output.output_type for output in cleaned] == ["stream", "display_data"]
    assert cleaned[0].text == "loss 1\n"
    assert outputs[0].text == "loss 3"  # the outputs that were given are left alone


def test_widgets_are_dropped_but_not_what_lies_beside_them():
    picture = new_output("display_data", data=WIDGET | {"image/png": "abcd"})
    alone = new_output("display_data", data=WIDGET)
    cleaned = clean_outputs([alone, picture])
    assert [set(output.data) for output in cleaned] == [{"text/plain", "image/png"}]


def test_clean_drops_what_changes_from_run_to_run():
    result = new_output("execute_result", data={"text/plain": "3"}, execution_count=7)
    cell = new_code_cell("1 + 2", execution_count=7, outputs=[result])
    cell.metadata = nbformat.from_dict(
        {
            "execution": {"shell.execute_reply": "2020-01-01"},
            "tags": ["solution"],
            "jupyter": {"source_hidden": True, "outputs_hidden": False},
        }
    )
    drawing = {"line.png": {"image/png": "abcd"}}
    text = new_markdown_cell("![A line](attachment:line.png)", attachments=drawing)
    notebook = new_notebook(cells=[text, cell])
    notebook.metadata = nbformat.from_dict(
        {
            "widgets": {"state": 1},
            "language_info": {"name": "python", "version": "3.99"},
        }
    )
    before = cell.id
    clean(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "version" not in notebook.metadata.language_info
    assert set(cell.metadata) == {"tags", "jupyter"}
    assert cell.execution_count == cell.outputs[0].execution_count == 1
    assert cell.id == before
    assert notebook.cells[0].attachments == drawing


@pytest.mark.slow
def test_two_runs_save_the_same_bytes(tmp_path):
    path = notebook_at(
        tmp_path / "tiny.ipynb",
        "for i in range(3):\n    print(f'\\rstep {i}', end='', flush=True)",
        "import ipywidgets\n\nipywidgets.IntSlider()",
        "import os\n\nassert os.environ['https_proxy'] == 'http://127.0.0.1:9'\n1 + 2",
    )
    run = run_and_save(path)
    first = path.read_bytes()
    run_and_save(path)
    assert path.read_bytes() == first
    assert run.seconds > 0 and not run.errors
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    assert [len(cell.outputs) for cell in code] == [1, 0, 1]
    assert code[0].outputs[0].text == "step 2"
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.ipynb"]


@pytest.mark.slow
def test_temporary_folders_of_a_kernel_are_removed(tmp_path):
    path = notebook_at(
        tmp_path / "tiny.ipynb",
        "import os, tempfile\n\nprint(tempfile.mkdtemp(), flush=True)",
        "os._exit(1)",
    )
    notebook = nbformat.read(path, as_version=4)
    with pytest.raises(NotebookError, match="kernel died"):
        run_notebooks.execute(notebook, tmp_path)
    assert not Path(notebook.cells[1].outputs[0].text.strip()).exists()


@pytest.mark.slow
def test_a_notebook_that_fails_is_not_saved(tmp_path, monkeypatch, capsys):
    path = notebook_at(tmp_path / "tiny.ipynb", "x = 1", "print(x)\nx / 0", "x")
    before = path.read_bytes()
    monkeypatch.setattr(sys, "argv", ["run_notebooks.py", str(path)])
    assert run_notebooks.main() == 1
    message = capsys.readouterr().out
    assert "code cell 2 (print(x))" in message and "ZeroDivisionError" in message
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.ipynb"]


@pytest.mark.slow
def test_a_kernel_that_dies_is_an_error(tmp_path):
    path = notebook_at(tmp_path / "tiny.ipynb", "import os\nos._exit(1)")
    with pytest.raises(NotebookError, match=r"code cell 1 .* kernel died"):
        run_and_save(path)


def test_missing_notebooks_are_named(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run_notebooks.py", "absent.ipynb"])
    with pytest.raises(SystemExit, match=r"absent\.ipynb"):
        run_notebooks.main()


@pytest.mark.slow
def test_claims_over_seeds_marks_failures_goes_on_and_writes(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # kernels start below it
    expected = tmp_path / "expected.toml"
    before = TABLE.format("fails_with_four") + "\n# Next\n\n" + TABLE.format("holds")
    expected.write_text(before, encoding="utf-8")
    path = notebook_at(
        tmp_path / "tiny.ipynb",
        "from helpers import runtime\nfrom helpers.checks import claim\n"
        "run = runtime.start('tiny', seed=0)",
        "claim('fails_with_four', run.seed)",
        "claim('holds', 1)",
    )
    seeds, full = [2, 4], dict(HELPERS_EFFORT="full")
    assert not benchmark.claims_over_seeds(path, seeds, expected, **full)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["fails_with_four", "2", "✗", "4", "at", "most", "3"] in rows
    assert ["holds", "1", "1", "at", "most", "3"] in rows
    seen = [
        f"seen = {{ least = {least}, most = {most}, seeds = 2 }}\n"
        for least, most in [(2, 4), (1, 1)]
    ]
    after = before.replace("\n\n#", f"\n{seen[0]}\n#") + seen[1]
    assert expected.read_text(encoding="utf-8") == after
    values = {"fails_with_four": [2.5, 2.123456, 2.6]}
    assert benchmark.with_seen(after, values) == after.replace(
        seen[0], "seen = { least = 2.1235, most = 2.6, seeds = 3 }\n"
    )
    with pytest.raises(ValueError, match="absent"):
        benchmark.with_seen(after, {"absent": [1.0, 2.0]})


@pytest.mark.parametrize(
    "second", [{}, {"effort": "quick"}, {"value": math.nan}, {"id": "other"}]
)
def test_only_whole_runs_at_full_effort_are_written(
    tmp_path, monkeypatch, capsys, second
):
    record = dict(id="x", value=1, at_least=0, at_most=3, effort="full")
    runs = {0: [record], 1: [record | second]}
    result = lambda path, seed: (run_notebooks.Run(), runs[seed], [])  # noqa: E731
    monkeypatch.setattr(benchmark, "_run_with_seed", result)
    expected = tmp_path / "expected.toml"
    expected.write_text(TABLE.format("x"), encoding="utf-8")
    written = benchmark.claims_over_seeds(tmp_path, [0, 1], expected)
    assert written == ("seen" in expected.read_text(encoding="utf-8")) == (second == {})
    assert written != ("Not written" in capsys.readouterr().out)


def test_waits_of_a_run():
    run = run_notebooks.Run(seconds=9.0)
    assert run.first_picture == math.inf and run.longest_wait == 9
    run.shown = [(1.0, False), (5.0, True), (8.0, True)]
    assert run.first_picture == 5 and run.longest_wait == 4


@pytest.mark.slow
def test_benchmark_of_a_notebook_without_sliders(tmp_path, capsys):
    path = notebook_at(tmp_path / "tiny.ipynb", "x = 1")
    before = path.read_bytes()
    assert benchmark.benchmark_notebooks([path])
    assert "tiny" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_nan_is_outside_every_range():
    assert benchmark._inside(1.0, 0.0, None)
    assert not benchmark._inside(float("nan"), None, 3.0)
    assert not benchmark._inside(float("inf"), 0.0, None)
