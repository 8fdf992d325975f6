"""A run is repeatable, fits the machine, and can be overridden from outside."""

import random
import sys

import numpy as np
import pytest
import torch

from helpers import runtime


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch):
    """One fast core, no variables of the caller's, and nothing left behind."""
    for name in ("HELPERS_SEED", "HELPERS_EFFORT", "CPU_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(runtime, "_current", None)
    monkeypatch.setattr(runtime, "_gflops", lambda precision: 400.0)
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


def test_start_says_what_it_chose(capsys, monkeypatch):
    monkeypatch.setattr(runtime, "best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(runtime, "best_precision", lambda device: torch.bfloat16)
    monkeypatch.setattr(runtime, "usable_cores", lambda: 1)
    run = runtime.start("01_plain_autoencoder", seed=3)
    assert (
        capsys.readouterr().out == "Seed 3, cpu with 1 core, bfloat16, full effort.\n"
    )
    assert runtime.current() is run
    assert (run.notebook, run.seed, run.threads) == ("01_plain_autoencoder", 3, 1)
    assert torch.get_num_threads() == 1


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


@pytest.mark.parametrize("effort", ["full", "quick", " QUICK "])
def test_effort_from_outside(monkeypatch, effort):
    def never(precision):
        raise AssertionError("the machine was measured for nothing")

    monkeypatch.setattr(runtime, "_gflops", never)
    monkeypatch.setenv("HELPERS_EFFORT", effort)
    assert runtime.start("one").effort == effort.strip().lower()


def test_bad_effort_from_outside(monkeypatch):
    monkeypatch.setenv("HELPERS_EFFORT", "half")
    with pytest.raises(ValueError, match=r"HELPERS_EFFORT .* not 'half'"):
        runtime.start("one")


@pytest.mark.parametrize(
    ("speed", "effort"), [(400, "full"), (120, "full"), (40, "quick")]
)
def test_effort_follows_the_measured_speed(monkeypatch, capsys, speed, effort):
    monkeypatch.setattr(runtime, "best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(runtime, "_gflops", lambda precision: float(speed))
    run = runtime.start("one")
    assert run.effort == effort
    assert run.pick("long", "short") == ("long" if effort == "full" else "short")
    assert ("This machine is slow" in capsys.readouterr().out) == (effort == "quick")


def test_an_accelerator_needs_no_measurement(monkeypatch):
    monkeypatch.setattr(runtime, "_gflops", lambda precision: 0.0)
    assert runtime._effort_for(torch.device("cuda"), torch.float32) == "full"


def test_the_measurement_gives_a_sensible_speed(monkeypatch):
    monkeypatch.undo()
    assert 0.1 < runtime._gflops(torch.float32) < 100_000


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
    assert runtime.best_device() == torch.device(device)


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
    assert runtime.usable_cores() == cores


def test_cores_under_a_quota(monkeypatch, eight_cores):
    monkeypatch.setattr(runtime, "_control_group_quota", lambda: 3.5)
    assert runtime.usable_cores() == 3
    monkeypatch.setenv("CPU_LIMIT", "2")
    assert runtime.usable_cores() == 2


def test_cores_on_a_system_that_tells_little(monkeypatch, eight_cores):
    monkeypatch.delattr(runtime.os, "sched_getaffinity")
    assert runtime.usable_cores() == 8
    monkeypatch.setattr(runtime.os, "cpu_count", lambda: None)
    assert runtime.usable_cores() == 1


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
    (tmp_path / "cpu.max").write_text(text)
    assert runtime._control_group_quota(tmp_path) == quota


@pytest.mark.parametrize(
    ("text", "quota"), [("150000\n", 1.5), ("-1\n", None), ("", None)]
)
def test_quota_of_version_1(tmp_path, text, quota):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(text)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert runtime._control_group_quota(tmp_path) == quota


def test_no_quota(tmp_path):
    assert runtime._control_group_quota(tmp_path) is None
    assert runtime._control_group_quota(tmp_path / "missing") is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the affinity")
def test_cores_of_this_machine():
    assert 1 <= runtime.usable_cores() <= (runtime.os.cpu_count() or 1)
