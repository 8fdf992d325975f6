"""Shared code of the notebooks: what every notebook would otherwise repeat."""

import contextlib
import io
import os
import sys

# On Linux torch's threads wait in a busy loop and hold the cores that other kernels
# need: a training beside two others takes 18 times as long as alone. With a short wait
# it takes 4 times as long, and alone no longer than before. Torch reads the variable
# once, while it is loaded.
TORCH_CAME_FIRST = "torch" in sys.modules and "GOMP_SPINCOUNT" not in os.environ
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

# A script whose output goes into a file writes in the system's encoding, which on
# Windows often has no tick. It must not end for that: a question mark takes its place.
for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        with contextlib.suppress(OSError, ValueError):  # closed
            stream.reconfigure(errors="replace")
