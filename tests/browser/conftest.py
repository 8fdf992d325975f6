"""pytest reads this for the tests beside it: they share a browser and a JupyterLab.

    pip install -r tests/browser/requirements.txt    and Debian's package chromium
    pytest tests/browser                             05 runs with its sliders
    BROWSER_NOTEBOOKS=all pytest tests/browser       all notebooks do (many minutes)

`CHROMIUM` names a browser that is not found by itself. When a test fails, a screenshot
of its page lies in build/screenshots.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from run_notebooks import ROOT, kernel_environment, notebook_paths, place

SCREENSHOTS = ROOT / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [  # the browser asks nobody for updates, and runs in containers
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-dev-shm-usage"),
]
LAB_SETTINGS = {
    "apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    # Otherwise cells out of sight are not in the page at all.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def chromium() -> str:
    """The path of the browser; skips the test where there is none."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    if not found:
        pytest.skip("no browser: install chromium, or give its path in CHROMIUM")
    return found


@pytest.fixture(scope="module")  # not longer: its event loop would get in others' way
def browser():
    reason = "no playwright: pip install -r tests/browser/requirements.txt"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    path = chromium()
    with playwright.sync_playwright() as starter:
        browser = starter.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, request):
    """A new tab, 1200 pixels wide. `page.errors` collects what the console says."""
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.errors = []

    def listen(message):
        # JupyterLab asks for `attachment:...` once, before it puts the picture there.
        if message.type == "error" and "(attachment:" not in in_words(message):
            page.errors.append(in_words(message))

    page.on("console", listen)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    report = getattr(request.node, "report", None)
    if report is not None and report.failed:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        target = SCREENSHOTS / f"{request.node.name}.png"
        with contextlib.suppress(Exception):  # the page may be what has crashed
            page.screenshot(path=target)
            print(f"screenshot: {target}")
    page.close()


def in_words(message) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.report = report
    return report


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """The address of a JupyterLab on copies of the notebooks: it saves by itself."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("series")
    for path in notebook_paths():
        copy = folder / place(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for name, content in LAB_SETTINGS.items():
        file = home / "config/lab/user-settings/@jupyterlab"
        file = file / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    variables = {f"JUPYTER_{name}": str(home / place) for name, place in places.items()}
    variables |= {"JUPYTER_TOKEN": "secret", "HELPERS_EFFORT": "quick"}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    log = home / "lab.log"
    with log.open("w", encoding="utf-8") as file:
        server = subprocess.Popen(
            [*command, f"--port={port}", "--port-retries=0", str(folder / "notebooks")],
            env=kernel_environment(home, **variables),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server, log)
        yield address
    finally:
        server.terminate()  # it shuts its kernels down
        try:
            server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(120):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{address}/api?token=secret", timeout=5)
            return
        time.sleep(0.5)
    raise AssertionError(
        "JupyterLab did not start:\n" + log.read_text(encoding="utf-8")
    )
