"""Every notebook calls `start` once, at the top, so that a run is repeatable and fits
the machine: it sets the seed, the threads, the device, the precision and the effort.

Two environment variables override what a notebook asks for: `HELPERS_SEED=3` changes
the seed of the whole run, `HELPERS_EFFORT=full` or `quick` the amount of training.
`HELPERS_EFFORT=smoke` is for tests alone: each training stops after a few steps, so
that every cell runs and no result means anything.
"""

import contextlib
import ctypes
import math
import os
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import helpers

EFFORTS = ("full", "quick", "smoke")
# A machine below this speed would need more than the minutes that a reader waits for.
# Two recent cores reach 400 with bfloat16; one core without it, as on mybinder.org, 40.
FULL_EFFORT_GFLOPS = 120.0
M_MMAP_THRESHOLD = -3  # from glibc's malloc.h


@dataclass(frozen=True)
class Run:
    """What the machine and the reader chose for this run of a notebook."""

    notebook: str
    seed: int
    device: torch.device
    threads: int
    precision: torch.dtype
    effort: str

    def pick(self, full, quick):
        """Returns `full` at full effort, and `quick` at quick and at smoke effort."""
        return full if self.effort == "full" else quick

    def steps(self, full: int, quick: int) -> int:
        """How many steps a training takes that a notebook writes out: three at smoke
        effort, which is for tests, else `pick(full, quick)`."""
        return 3 if self.effort == "smoke" else self.pick(full, quick)

    def generator(self, offset: int = 0) -> torch.Generator:
        """A random generator of its own, so that one experiment cannot disturb another.

        Args:
            offset: tells the experiments of one notebook apart.
        """
        return torch.Generator().manual_seed(1_000_003 * (self.seed + 1) + offset)


_current: Run | None = None


def start(notebook: str, seed: int = 0, seconds: float = 60) -> Run:
    """Prepares this process for a notebook and says in one line what it found.

    Args:
        notebook: the name of the notebook's file without its ending.
        seed: seeds Python, numpy and torch, unless `HELPERS_SEED` is set.
        seconds: how long all cells take together, for the sentence that is printed.

    Raises:
        ValueError: the seed is no whole number from 0 to 2^32 - 1, or `HELPERS_SEED` or
            `HELPERS_EFFORT` cannot be understood.
    """
    global _current
    own_seed, seed = seed, _seed_from_environment(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    threads = usable_cores()
    give_freed_memory_back()
    device = best_device()
    precision = best_precision(device)
    effort = _effort_from_environment() or _effort_for(device, precision, threads)
    torch.set_num_threads(threads)
    _current = Run(notebook, seed, device, threads, precision, effort)
    print(_in_words(_current, own_seed, seconds))
    if helpers.TORCH_CAME_FIRST and sys.platform == "linux":
        print(
            "Hint: something loaded torch before this cell, so notebooks that run at "
            "the same time slow each other down; restart and run this cell first."
        )
    return _current


def current() -> Run:
    """The run that `start` prepared, or a plain one where nobody called it (tests)."""
    if _current is not None:
        return _current
    return Run("", 0, torch.device("cpu"), usable_cores(), torch.float32, "full")


def usable_cores() -> int:
    """The number of cores that this process may use.

    A container often shows all cores of its host while a quota allows only a few; torch
    would start a thread for each and slow down. JupyterHub and Binder put the quota
    into `CPU_LIMIT`, elsewhere the control group files hold it.
    """
    limits = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):  # Linux
        limits.append(len(os.sched_getaffinity(0)))
    limits.append(_positive(os.environ.get("CPU_LIMIT")))
    limits.append(_control_group_quota())
    return max(1, math.floor(min(limit for limit in limits if limit)))


def best_device() -> torch.device:
    """CUDA if there is a card, then Apple's MPS, then the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def best_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it natively, float32 elsewhere.

    Without native support bfloat16 is emulated, and slower than float32.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float32
    if device.type == "cpu":
        can = torch.cpu.get_capabilities()
        native = any(can.get(unit) for unit in ("avx512_bf16", "amx_bf16", "bf16"))
        return torch.bfloat16 if native else torch.float32
    return torch.float32


def give_freed_memory_back() -> None:
    """Lets Linux have the memory of deleted tensors back; elsewhere does nothing.

    By default the C library keeps freed blocks of up to 32 MiB for later, and its heap
    grows by each test set (31 MiB) that passes through: a class shares one server.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(M_MMAP_THRESHOLD, 8 * 2**20)
            library.malloc_trim(0)


def _in_words(run: Run, own_seed: int, seconds: float) -> str:
    machine = "1 core" if run.threads == 1 else f"{run.threads} cores"
    if run.device.type != "cpu":
        machine = "A graphics card"
    if run.seed != own_seed:
        machine += f", seed {run.seed} instead of {own_seed}"
    minutes = max(1, round(seconds / 60))
    time = "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return {
        "full": f"{machine}: full effort, {time}.",
        "quick": f"{machine}: quick effort, {time}: "
        "smaller experiments, a little worse results.",
        "smoke": f"{machine}: smoke effort, for tests: no result means anything.",
    }[run.effort]


def _effort_for(device: torch.device, precision: torch.dtype, cores: int) -> str:
    if device.type != "cpu":
        return "full"
    return "full" if cores * _gflops(precision) >= FULL_EFFORT_GFLOPS else "quick"


def _gflops(precision: torch.dtype) -> float:
    """Speed of one idle core at matrix products, in 10^9 operations a second.

    The best of four tries, in the time that the core worked for this process: waiting
    for a core that another program holds does not count. One try is long enough for
    clocks with steps of 1/64 second.
    """
    torch.set_num_threads(1)  # the clock below sees this thread alone
    a = torch.ones(512, 1024, dtype=precision)
    b = torch.ones(1024, 1024, dtype=precision)
    fastest = 0.0
    for _ in range(4):
        begin, products, spent = time.thread_time(), 0, 0.0
        while spent < 0.06:
            a @ b
            products += 1
            spent = time.thread_time() - begin
        fastest = max(fastest, products / spent)
    return 2 * 512 * 1024 * 1024 * fastest / 1e9


def course_file(name: str) -> Path | None:
    """A file of `notebooks/`, found from the working folder, one above it, or helpers.

    None where somebody has one notebook alone.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        for path in (folder / name, folder / "notebooks" / name):
            if os.path.isfile(path):
                return path
    return None


def _seed_from_environment(seed: int) -> int:
    text = os.environ.get("HELPERS_SEED", "").strip()
    if text:
        seed = int(text) if text.isdecimal() else text
    if isinstance(seed, int) and 0 <= seed < 2**32:
        return seed
    name = "HELPERS_SEED" if text else "seed"
    raise ValueError(f"{name} must be a whole number from 0 to 2^32 - 1, not {seed!r}.")


def _effort_from_environment() -> str | None:
    text = os.environ.get("HELPERS_EFFORT", "").strip().lower()
    if text and text not in EFFORTS:
        raise ValueError(
            f"HELPERS_EFFORT must be 'full' or 'quick' (or 'smoke'), not {text!r}."
        )
    return text or None


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if value > 0 and math.isfinite(value) else None


def _control_group_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    try:  # version 2: "200000 100000" is two cores, "max 100000" is no limit
        quota, period = (root / "cpu.max").read_text("ascii").split()
    except (OSError, ValueError):
        try:  # version 1: a quota of -1 is no limit
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text("ascii")
            period = (root / "cpu" / "cpu.cfs_period_us").read_text("ascii")
        except OSError:
            return None
    quota, period = _positive(quota), _positive(period)
    return quota / period if quota and period else None
