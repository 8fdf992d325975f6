"""A run is repeatable, fits the machine, and can be overridden from outside."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import helpers
from helpers import runtime
from helpers.runtime import best_device, usable_cores

CPU = torch.device("cpu")
ROOT = Path(helpers.__file__).parents[1]


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch):
    """Two fast cores, no variables of the caller's, and nothing left behind."""
    for name in ("HELPERS_SEED", "HELPERS_EFFORT", "CPU_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(runtime, "_current", None)
    monkeypatch.setattr(runtime, "_gflops", lambda precision: 200.0)
    monkeypatch.setattr(runtime, "best_device", lambda: CPU)
    monkeypatch.setattr(runtime, "usable_cores", lambda: 2)
    monkeypatch.setattr(helpers, "TORCH_CAME_FIRST", False)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def draws():
    return random.random(), np.random.rand(), torch.rand(3).tolist()


def test_start_repeats_every_random_number():
    runtime.start("one", seed=7)
    first = draws()
    runtime.start("one", seed=7)
    assert draws() == first
    runtime.start("one", seed=8)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


@pytest.mark.parametrize(
    ("effort", "cores", "device", "options", "says"),
    [
        ("full", 2, "cpu", {}, "2 cores: full effort, about a minute."),
        ("full", 2, "cuda", {}, "A graphics card: full effort, about a minute."),
        ("full", 2, "cpu", {"seconds": 20}, "2 cores: full effort, about a minute."),
        ("full", 2, "cpu", {"seconds": 200}, "2 cores: full effort, about 3 minutes."),
        (
            *("quick", 1, "cpu", {}),
            "1 core: quick effort, about a minute: smaller experiments, "
            "a little worse results.",
        ),
        (
            *("smoke", 2, "cpu", {"seed": 3}),
            "2 cores: smoke effort, for tests: no result means anything.",
        ),
    ],
)
def test_start_says_what_it_found(
    capsys, monkeypatch, effort, cores, device, options, says
):
    monkeypatch.setenv("HELPERS_EFFORT", effort)
    monkeypatch.setattr(runtime, "best_device", lambda: torch.device(device))
    monkeypatch.setattr(runtime, "best_precision", lambda device: torch.bfloat16)
    monkeypatch.setattr(runtime, "usable_cores", lambda: cores)
    run = runtime.start("01_plain_autoencoder", **options)
    assert capsys.readouterr().out == says + "\n"
    assert runtime.current() is run
    assert (run.notebook, run.effort) == ("01_plain_autoencoder", effort)
    assert torch.get_num_threads() == run.threads == cores


@pytest.mark.parametrize("first", ["helpers", "torch", "variable"])
def test_a_torch_that_was_loaded_before_helpers(first):
    code = "from helpers import runtime\nruntime.start('one')\n"
    code += "import os\nprint(os.environ['GOMP_SPINCOUNT'])"
    if first == "torch":
        code = "import torch\n" + code
    environment = os.environ | {"HELPERS_EFFORT": "full"}
    environment.pop("GOMP_SPINCOUNT", None)
    if first == "variable":
        environment["GOMP_SPINCOUNT"] = "77"
    out = subprocess.check_output(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, text=True
    )
    hint = first == "torch" and sys.platform == "linux"
    assert (
        out.count("\n") == 2 + hint and ("Hint: something loaded torch" in out) == hint
    )
    assert out.split()[-1] == ("77" if first == "variable" else "5000")


# Trains on matrices as a notebook does, once a line has come in; prints its seconds.
TRAINING = """
from helpers import runtime, training
import sys, time, torch
run = runtime.start("one")
model = torch.nn.Sequential(
    torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 784)
)
data = torch.rand(10_000, 784)
def train():
    training.fit(model, data, lambda out, x: (out - x).square().mean(), epochs=5)
train()
print("ready", flush=True)
sys.stdin.readline()
begin = time.perf_counter()
train()
print(time.perf_counter() - begin, flush=True)
"""


def seconds_of_trainings(at_once):
    environment = os.environ | {"HELPERS_EFFORT": "full", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("GOMP_SPINCOUNT", None)
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", TRAINING], env=environment, cwd=ROOT, **pipes
        )
        for _ in range(at_once)
    ]
    for kernel in kernels:
        while (line := kernel.stdout.readline()) != "ready\n":
            assert line, "the training has ended early"
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    return [float(kernel.communicate()[0].split()[-1]) for kernel in kernels]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the threads of other systems wait")
def test_three_kernels_at_once_share_the_cores():
    (alone,) = seconds_of_trainings(1)
    beside = max(seconds_of_trainings(3))
    # Three times as long is fair, four to five is usual; without GOMP_SPINCOUNT it is
    # ten to sixty.
    assert beside < 8 * alone


def test_a_plain_run_before_start():
    run = runtime.current()
    assert (run.seed, run.effort, run.precision) == (0, "full", torch.float32)


def test_seed_from_outside(monkeypatch):
    monkeypatch.setenv("HELPERS_SEED", " 5 ")
    assert runtime.start("one", seed=1).seed == 5
    number = torch.rand(1)
    monkeypatch.setenv("HELPERS_SEED", "")
    assert runtime.start("one", seed=5).seed == 5
    assert torch.equal(torch.rand(1), number)


@pytest.mark.parametrize("text", ["-1", "1.5", "one", "4294967296", "²"])
def test_bad_seed_from_outside(monkeypatch, text):
    monkeypatch.setenv("HELPERS_SEED", text)
    with pytest.raises(ValueError, match="HELPERS_SEED must be a whole number"):
        runtime.start("one")


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=r"^seed must be a whole number"):
        runtime.start("one", seed=seed)


def test_the_largest_seed_works():
    run = runtime.start("one", seed=2**32 - 1)
    assert run.generator(1).initial_seed() > 0


@pytest.mark.parametrize("effort", ["full", " QUICK ", "smoke"])
def test_effort_from_outside(monkeypatch, effort):
    def never(precision):
        raise AssertionError("the machine was measured for nothing")

    monkeypatch.setattr(runtime, "_gflops", never)
    monkeypatch.setenv("HELPERS_EFFORT", effort)
    run = runtime.start("one")
    assert run.effort == effort.strip().lower()
    assert run.pick("long", "short") == ("long" if effort == "full" else "short")
    assert run.steps(300, 150) == dict(full=300, quick=150, smoke=3)[run.effort]


def test_bad_effort_from_outside(monkeypatch):
    monkeypatch.setenv("HELPERS_EFFORT", "half")
    with pytest.raises(ValueError, match=r"HELPERS_EFFORT .* not 'half'"):
        runtime.start("one")


@pytest.mark.parametrize(
    ("speed", "cores", "effort"),
    [(200, 1, "full"), (60, 2, "full"), (59, 2, "quick"), (93, 1, "quick")],
)
def test_effort_follows_the_measured_speed(monkeypatch, speed, cores, effort):
    monkeypatch.setattr(runtime, "_gflops", lambda precision: float(speed))
    monkeypatch.setattr(runtime, "usable_cores", lambda: cores)
    assert runtime.start("one").effort == effort


def test_an_accelerator_needs_no_measurement(monkeypatch):
    monkeypatch.setattr(runtime, "_gflops", lambda precision: 0.0)
    assert runtime._effort_for(torch.device("cuda"), torch.float32, 1) == "full"


def test_the_measured_speed_is_that_of_an_idle_core(monkeypatch):
    monkeypatch.undo()
    code = "import torch; a = torch.rand(700, 700)\nwhile True: a @ a"
    alone = runtime._gflops(torch.float32)
    busy = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    try:
        time.sleep(4)  # both have loaded torch
        beside = runtime._gflops(torch.float32)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    # Each busy process has a thread for each core: by the clock on the wall this one
    # gets a third of a core. Threads that share one core's units may cost a half.
    assert 0.45 * alone < beside < 2 * alone and 0.1 < alone < 100_000


def test_generators():
    run = runtime.start("one", seed=2)

    def numbers(generator):
        return torch.rand(4, generator=generator).tolist()

    state = torch.get_rng_state()
    first = numbers(run.generator())
    assert numbers(run.generator()) == first
    assert numbers(run.generator(1)) != first
    assert numbers(runtime.start("one", seed=3).generator()) != first
    runtime.start("one", seed=2)
    assert torch.equal(torch.get_rng_state(), state)  # the common one was not touched


@pytest.mark.parametrize(
    ("units", "precision"),
    [
        ({"avx2": True}, torch.float32),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"bf16": True}, torch.bfloat16),
    ],
)
def test_precision_follows_the_processor(monkeypatch, units, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units)
    assert runtime.best_precision(torch.device("cpu")) == precision


@pytest.mark.parametrize("native", [True, False])
def test_precision_on_a_card_is_never_emulated(monkeypatch, native):
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: native or including_emulation,
    )
    wanted = torch.bfloat16 if native else torch.float32
    assert runtime.best_precision(torch.device("cuda")) == wanted
    assert runtime.best_precision(torch.device("mps")) == torch.float32


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_device(monkeypatch, cuda, mps, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == torch.device(device)


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(runtime.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(
        runtime.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False
    )
    monkeypatch.setattr(runtime, "_control_group_quota", lambda: None)


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        *[("2", 2), ("2.9", 2), ("0.5", 1), ("64", 6), ("", 6), ("0", 6), ("-1", 6)],
        *[("many", 6), ("inf", 6), ("nan", 6)],
    ],
)
def test_cores_under_cpu_limit(monkeypatch, eight_cores, limit, cores):
    monkeypatch.setenv("CPU_LIMIT", limit)
    assert usable_cores() == cores


def test_cores_under_a_quota(monkeypatch, eight_cores):
    monkeypatch.setattr(runtime, "_control_group_quota", lambda: 3.5)
    assert usable_cores() == 3
    monkeypatch.setenv("CPU_LIMIT", "2")
    assert usable_cores() == 2


def test_cores_on_a_system_that_tells_little(monkeypatch, eight_cores):
    monkeypatch.delattr(runtime.os, "sched_getaffinity")
    assert usable_cores() == 8
    monkeypatch.setattr(runtime.os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("200000 100000\n", 2.0),
        ("50000 100000\n", 0.5),
        ("max 100000\n", None),
        ("", None),
        ("nonsense\n", None),
    ],
)
def test_quota_of_version_2(tmp_path, text, quota):
    (tmp_path / "cpu.max").write_text(text, encoding="utf-8")
    assert runtime._control_group_quota(tmp_path) == quota


@pytest.mark.parametrize(
    ("text", "quota"), [("150000\n", 1.5), ("-1\n", None), ("", None)]
)
def test_quota_of_version_1(tmp_path, text, quota):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(text, encoding="utf-8")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n", encoding="utf-8")
    assert runtime._control_group_quota(tmp_path) == quota


def test_no_quota(tmp_path):
    assert runtime._control_group_quota(tmp_path) is None
    assert runtime._control_group_quota(tmp_path / "missing") is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the affinity")
def test_cores_of_this_machine():
    assert 1 <= usable_cores() <= (runtime.os.cpu_count() or 1)
