"""class_load.py calls this to measure what a JupyterHub adds for a class.

    python -m venv hub && hub/bin/pip install jupyterhub==6.1.1 jupyterlab==4.6.6
    npm install configurable-http-proxy@5.3.0

The hub runs on the loopback with the simple spawner, which isolates nobody and is only
for measuring. No kernel is started.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from class_load import MemoryTaken

READY_SECONDS = 300
CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r} + "/{{username}}"
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = {timeout}
c.Spawner.http_timeout = {timeout}
c.JupyterHub.concurrent_spawn_limit = 0
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.services = [{{"name": "measure", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "measure", "scopes": ["admin:users", "admin:servers",
      "read:hub"], "services": ["measure"]}}
]
"""


class Hub:
    """A hub on the loopback, which ends with the block that started it."""

    def __init__(self, jupyterhub: Path, proxy: Path):
        self.jupyterhub, self.proxy = jupyterhub.absolute(), proxy.absolute()
        self.token = secrets.token_hex(16)

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        ports = [free_port() for _ in range(3)]
        self.address = f"http://127.0.0.1:{ports[0]}/hub/api"
        config = folder / "config.py"
        values = dict(zip(("port", "hub_port", "api_port"), ports, strict=True))
        values |= dict(home=str(folder), proxy=str(self.proxy), token=self.token)
        config.write_text(
            CONFIG.format(timeout=READY_SECONDS, **values), encoding="utf-8"
        )
        path = f"{self.jupyterhub.parent}{os.pathsep}{os.environ['PATH']}"
        self.log = folder / "hub.log"
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [str(self.jupyterhub), "-f", str(config)],
                cwd=folder,
                env={**os.environ, "PATH": path},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self):
        for _ in range(60):
            if self._process.poll() is not None:
                raise RuntimeError(
                    "the hub did not start:\n" + self.log.read_text(encoding="utf-8")
                )
            with contextlib.suppress(OSError):
                self.ask("GET", "/info")
                return
            time.sleep(1)
        raise RuntimeError(
            "the hub does not answer:\n" + self.log.read_text(encoding="utf-8")
        )

    def __exit__(self, *_):
        self._process.terminate()  # the hub ends its servers and its proxy
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=60)
        self._folder.cleanup()

    def ask(self, method: str, path: str) -> dict:
        """Calls the hub's own interface; raises OSError when it refuses."""
        request = urllib.request.Request(self.address + path, method=method)
        request.add_header("Authorization", f"token {self.token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def log_in(self, names: list[str]) -> list[float]:
        """Starts all servers at once; returns the seconds until each was ready."""
        for name in names:
            self.ask("POST", f"/users/{name}")
        begin, ready = time.perf_counter(), {}
        for name in names:
            Path(self._folder.name, name).mkdir()
            self.ask("POST", f"/users/{name}/server")
        while len(ready) < len(names):
            for name in names:
                server = self.ask("GET", f"/users/{name}").get("servers", {}).get("")
                if name not in ready and server and server["ready"]:
                    ready[name] = time.perf_counter() - begin
            if time.perf_counter() - begin > READY_SECONDS:
                raise RuntimeError(f"only {len(ready)} servers became ready")
            time.sleep(0.5)
        return list(ready.values())


def free_port() -> int:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        return plug.getsockname()[1]


def log_in_together(
    jupyterhub: Path, proxy: Path, students: int
) -> tuple[float, float]:
    """Seconds until all have JupyterLab, and the MiB of one student's server."""
    with Hub(jupyterhub, proxy) as hub, MemoryTaken() as memory:
        seconds = hub.log_in([f"student{i}" for i in range(students)])
        time.sleep(2)  # until the last one has loaded its extensions
    return max(seconds), memory.most / students
