"""pytest runs this: exported pages fit narrow and wide screens, and pass axe-core."""

import pytest
from run_notebooks import notebook_paths

pytest.importorskip(
    "latex2mathml", reason="no latex2mathml: pip install -r tools/requirements.txt"
)
from export_html import export

pytestmark = pytest.mark.slow
NOTEBOOKS = notebook_paths()
NAMES = ["index", *(path.stem for path in NOTEBOOKS)]
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    .filter(element => !element.closest('pre, .formula, .table, .skip'))
    .map(element => element.tagName + ' ' + element.textContent.trim().slice(0, 60))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    export(folder, NOTEBOOKS)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_page(page, site, name):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"file://{site}/{name}.html")
    for width in (480, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(TOO_WIDE) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert page.errors == []
    broken = "images => images.filter(image => !image.naturalWidth).length"
    assert page.locator("img").evaluate_all(broken) == 0
    assert violations(page) == []


def violations(page) -> list[str]:
    """What axe-core finds: contrast, headings, texts of links, alternatives."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="no axe-core: pip install -r tests/browser/requirements.txt",
    )
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['help']}: {node['html'][:160]}"
        for v in found
        for node in v["nodes"]
    ]


def test_one_can_walk_by_keyboard(page, site):
    page.goto(f"file://{site}/index.html")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the text"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{NAMES[1]}.html")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
