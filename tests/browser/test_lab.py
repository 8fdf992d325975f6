"""pytest runs this: what a reader sees and does in JupyterLab, in a real browser.

Every notebook is opened with its saved outputs. One of them (all of them with
BROWSER_NOTEBOOKS=all) is run, and each of its sliders is moved by keyboard.
"""

import os
import re
import time
from pathlib import Path

import nbformat
import pytest
from run_notebooks import is_lesson, notebook_paths, place

pytestmark = pytest.mark.slow
NOTEBOOKS = notebook_paths()
FASTEST = "notebooks/05"  # of those with sliders
RUN_SECONDS = 900
RUN = [
    path
    for path in NOTEBOOKS
    if os.environ.get("BROWSER_NOTEBOOKS") == "all" or place(path).startswith(FASTEST)
]
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
ERRORS = '[data-mime-type="application/vnd.jupyter.error"]'
CONTROLS = (
    ".noUi-handle, .widget-toggle-buttons button:not(.mod-active), "
    ".widget-dropdown select, .widget-checkbox input"
)


def each(paths: list[Path]):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def open_notebook(page, lab: str, path: Path) -> None:
    here = place(path).removeprefix("notebooks/")
    page.goto(f"{lab}/doc/tree/{here}?reset&token=secret")
    page.wait_for_selector(IDLE, timeout=60_000)
    cells = len(nbformat.read(path, as_version=4).cells)
    page.wait_for_function(
        f"document.querySelectorAll('.jp-Notebook .jp-Cell').length == {cells}"
    )


def choose(page, *names: str) -> None:
    """Walks through the menus: choose(page, "Run", "Run All Cells")."""
    page.locator(f'.lm-MenuBar-itemLabel:text-is("{names[0]}")').click()
    for name in names[1:]:
        page.locator(f'.lm-Menu-itemLabel:text-is("{name}")').click()


def brightness(page, selector: str) -> float:
    """From 0 (black) to 255, of an element's background."""
    colour = page.locator(selector).first.evaluate(
        "element => getComputedStyle(element).backgroundColor"
    )
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


@each(NOTEBOOKS)
def test_saved_notebook(page, lab, path):
    open_notebook(page, lab, path)
    sources = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells)
    places = ".jp-OutputArea-output img", ".jp-MarkdownCell img"
    for where, some in zip(places, (True, "](attachment:" in sources), strict=True):
        sizes = page.locator(where).evaluate_all(
            "images => images.map(image => image.naturalWidth)"
        )
        assert bool(sizes) == some and all(size > 100 for size in sizes)
    assert page.locator(ERRORS).count() == 0
    if "$$" in sources:
        page.wait_for_selector(".jp-MarkdownCell mjx-container", state="attached")
    if "assert check_" in sources:
        unfold_a_solution(page)
    switch_to_dark(page)
    assert page.errors == []


def test_links_between_lesson_and_second_visit(page, lab):
    pairs = [
        (lesson, visit)
        for lesson in filter(is_lesson, NOTEBOOKS)
        for visit in NOTEBOOKS
        if visit.name[:2] == lesson.name[:2] and not is_lesson(visit)
    ]
    assert pairs
    for lesson, visit in pairs:
        for here, target in ((lesson, visit), (visit, lesson)):
            open_notebook(page, lab, here)
            page.locator(f'.jp-MarkdownCell a[href*="{target.stem}"]').last.click()
            tab = page.locator(f'.lm-TabBar-tabLabel:text-is("{target.name}")')
            tab.wait_for(state="attached")  # hidden where one document fills the page


def unfold_a_solution(page) -> None:
    solution = page.locator(".jp-CodeCell", has=page.locator(".jp-InputPlaceholder"))
    folded = solution.count()
    assert folded
    solution.last.locator(".jp-InputPlaceholder .jp-Placeholder-content").click()
    page.wait_for_function(
        "document.querySelectorAll('.jp-CodeCell .jp-InputPlaceholder').length"
        f" == {folded - 1}"
    )
    assert page.locator("text=assert check_").count() >= 1


def switch_to_dark(page) -> None:
    assert brightness(page, ".jp-Notebook") > 200
    choose(page, "Settings", "Theme", "JupyterLab Dark")
    page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
    assert brightness(page, ".jp-Notebook") < 60
    # Figures are opaque, so that black axes stay readable: look at a corner's pixel.
    corners = page.locator('.jp-OutputArea-output img[src^="data:image/png"]')
    assert set(corners.evaluate_all(CORNER)) == {255}
    choose(page, "Settings", "Theme", "JupyterLab Light")
    page.wait_for_selector('body[data-jp-theme-light="true"]', state="attached")


CORNER = """images => images.map(image => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, 1, 1).data[3];
})"""


@each(RUN)
def test_run_and_sliders(page, lab, path):
    open_notebook(page, lab, path)
    page.wait_for_timeout(3000)  # a kernel that has just started swallows requests
    choose(page, "Run", "Run All Cells")
    wait_for_the_end(page)
    assert page.locator(ERRORS).count() == 0
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()
    numbers = [int(re.sub(r"\D", "", prompt)) for prompt in prompts]
    folded = page.locator(".jp-CodeCell .jp-InputPlaceholder").count()
    assert len(numbers) + folded == len(code)
    assert numbers == sorted(set(numbers)) and numbers[-1] <= len(code)
    calls = re.compile(r"^explore(_map)?\(", re.MULTILINE)
    explorers = sum(len(calls.findall(cell.source)) for cell in code)
    pictures = page.locator("img.explorer-picture")
    assert pictures.count() == explorers
    for i in range(pictures.count()):
        move_everything_beside(page, pictures.nth(i))
    assert page.errors == []


def wait_for_the_end(page) -> None:
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt")
    end = time.monotonic() + RUN_SECONDS
    page.wait_for_timeout(2000)
    while time.monotonic() < end:
        if page.locator(IDLE).count() and not any(
            "*" in prompt for prompt in prompts.all_inner_texts()
        ):
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"the notebook did not end within {RUN_SECONDS} seconds")


def move_everything_beside(page, picture) -> None:
    """Each control is moved by keyboard alone, and the picture beside it changes."""
    box = picture.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')][1]")
    controls = box.locator(CONTROLS)
    assert controls.count() >= 1
    for i in range(controls.count()):
        control = controls.nth(i)
        control.scroll_into_view_if_needed()
        for key in keys_for(control):
            before = picture.get_attribute("src")
            control.focus()
            page.keyboard.press(key)
            if changed(page, picture, before):
                break
        else:
            raise AssertionError(f"control {i} moves, but its picture stays the same")
    output = picture.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea')][1]")
    assert (
        output.locator("img.explorer-picture").count() == 1
    )  # pictures do not pile up


def keys_for(control) -> list[str]:
    if "noUi-handle" in (control.get_attribute("class") or ""):
        return ["ArrowRight", "ArrowLeft", "End", "Home"]
    return ["Space", "ArrowDown", "ArrowUp"]


def changed(page, picture, before: str) -> bool:
    for _ in range(20):
        page.wait_for_timeout(100)
        if picture.get_attribute("src") != before:
            return True
    return False
