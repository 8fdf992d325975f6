"""Whoever changed something that costs time or memory calls this and reads the tables.

    python tools/benchmark.py                                  everything below
    python tools/benchmark.py --notebooks [NOTEBOOK ...]       seconds, waits, memory
    python tools/benchmark.py --training                       `fit` beside a DataLoader
    python tools/benchmark.py --seeds 0 1 2 --notebooks 01.ipynb    claims over seeds
    ... --seeds 0 1 2 3 4 --write      also writes their range to `expected.toml`

Notebooks run as copies in memory, and no file but that one is changed, with --write,
which needs full effort. Run nothing else beside it.
"""

import argparse
import json
import math
import re
import shutil
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import nbformat
from run_notebooks import (
    ROOT,
    NotebookError,
    Run,
    execute,
    in_words,
    notebook_paths,
)

EXPECTED = ROOT / "notebooks" / "expected.toml"

MEASURE_SLIDERS = """\
import json
try:
    from helpers.widgets import measure
except ImportError:
    print("[]")
else:
    print(json.dumps(measure()))
"""
VAE_CODE = 20


def benchmark_notebooks(paths: list[Path]) -> bool:
    """Prints seconds and peak memory of each notebook, and sliders' answer times.

    Also the seconds until the first picture, and the longest time without anything new.
    """
    columns = ("seconds", "picture", "longest", "peak MiB")
    print(f"{'notebook':36}", *(f"{column:>8}" for column in columns))
    sliders, succeeded = [], True
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        try:
            with tempfile.TemporaryDirectory() as folder:
                run, printed = execute(notebook, folder, afterwards=MEASURE_SLIDERS)
        except NotebookError as error:
            print(f"{path.stem:36} failed: {error}")
            succeeded = False
            continue
        memory = "?" if run.peak_mib is None else f"{run.peak_mib:,.0f}"
        times = run.seconds, run.first_picture, run.longest_wait
        print(
            f"{path.stem:36}",
            *(f"{time:8.1f}" for time in times),
            f"{memory:>8}",
            flush=True,
        )
        rows = json.loads(printed.strip().splitlines()[-1])
        sliders += [(path.stem, row) for row in rows]
    if sliders:
        print(f"\n{'slider, ms to answer':60} {'median':>8} {'longest':>8}")
    for stem, row in sliders:
        name = ": ".join(row[key] for key in ("name", "slider") if key in row)
        median, longest = row["milliseconds_median"], row["milliseconds_max"]
        print(f"{stem + ' ' + name:60} {median:8.1f} {longest:8.1f}")
    return succeeded


def claims_over_seeds(
    path: Path, seeds: list[int], expected: Path | None = None, **variables: str
) -> bool:
    """Runs a notebook once for each seed and prints a table of all its claims.

    A claim that fails is marked and stops nothing: the cells after it run as well.

    Args:
        expected: the file whose `seen` is written, if every run was at full effort and
            came to all claims; also where a value lies outside of its limits, which
            have to be chosen anew then.
        variables: environment variables for the kernels.
    """
    values: dict[str, dict[int, float]] = {}
    ranges: dict[str, tuple] = {}
    efforts, errors, succeeded = set(), [], True
    print(f"{path.stem}")
    for seed in seeds:
        run, records, raised = _run_with_seed(path, seed, **variables)
        print(f"  seed {seed}: {in_words(run)}", flush=True)
        for record in records:
            values.setdefault(record["id"], {})[seed] = record["value"]
            ranges[record["id"]] = (record["at_least"], record["at_most"])
            efforts.add(record["effort"])
        errors += [f"  seed {seed}: {text}" for text in raised]
    columns = "".join(f"{f'seed {seed}':>12}" for seed in seeds)
    print(f"\n  {'claim':32}{columns}  expected")
    for id, of_seed in values.items():
        cells = ""
        for seed in seeds:
            value = of_seed.get(seed)
            held = value is not None and _inside(value, *ranges[id])
            succeeded &= held
            text = "missing" if value is None else f"{value:.5g}"
            cells += f"{text if held else '✗ ' + text:>12}"
        print(f"  {id:32}{cells}  {_range_in_words(*ranges[id])}")
    complete = all(
        math.isfinite(of_seed.get(seed, math.nan))
        for of_seed in values.values()
        for seed in seeds
    )
    if expected is not None and values:
        if efforts != {"full"} or errors or not complete:
            errors.append("  Not written: it takes whole runs at full effort.")
        else:
            ids = {id: list(of_seed.values()) for id, of_seed in values.items()}
            text = with_seen(expected.read_text(encoding="utf-8"), ids)
            expected.write_text(text, encoding="utf-8", newline="\n")
    for error in errors:
        print(error)
    print(flush=True)
    return succeeded and not errors


def with_seen(text: str, values: dict[str, list[float]]) -> str:
    """The text of an `expected.toml` with new lines `seen`; all else stays as it is.

    Args:
        values: what the runs gave, by the ids of the claims, one value a seed.

    Raises:
        ValueError: an id has no table, or another key would change.
    """
    before = tomllib.loads(text)
    tables = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    for i, table in enumerate(tables):
        found = values.get(table.partition("]")[0][1:])
        if not found:
            continue
        least, most = (_rounded(value) for value in (min(found), max(found)))
        line = f"seen = {{ least = {least}, most = {most}, seeds = {len(found)} }}\n"
        table = re.sub(r"^seen = .*\n", "", table, flags=re.MULTILINE)
        # After the last key; blank lines and a comment after it lead to what follows.
        keys = re.match(r"(?:.*\n)*?(?=\s*(?:#|\Z))", table)
        tables[i] = table[: keys.end()] + line + table[keys.end() :]
    after = tomllib.loads("".join(tables))
    missing = [id for id in values if "seen" not in after.get(id, {})]
    kept = [_without_seen(entries) for entries in (before, after)]
    if missing or kept[0] != kept[1]:
        raise ValueError(f"`seen` cannot be written; without a table: {missing}")
    return "".join(tables)


def _without_seen(entries: dict[str, dict]) -> dict[str, dict]:
    return {
        id: {k: v for k, v in entry.items() if k != "seen"}
        for id, entry in entries.items()
    }


def _rounded(value: float) -> float | int:
    """To five digits, as a number that TOML can hold."""
    value = float(f"{value:.5g}")
    return int(value) if value == round(value) and abs(value) < 1e15 else value


def _run_with_seed(
    path: Path, seed: int, **variables: str
) -> tuple[Run, list[dict], list[str]]:
    """The measurements, the claims and the errors, except those of failed claims."""
    notebook, run, raised = nbformat.read(path, as_version=4), Run(), []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "claims.jsonl")
        variables |= {"HELPERS_SEED": str(seed), "CLAIMS_FILE": str(file)}
        try:
            run, _ = execute(notebook, folder, keep_going=True, **variables)
        except NotebookError as error:
            raised.append(str(error))
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    for number, error in run.errors.items():
        if not error.startswith("ClaimError"):
            raised.append(f"code cell {number} raised {error}")
    return run, [json.loads(line) for line in text.splitlines()], raised


def _inside(value: float, low: float | None, high: float | None) -> bool:
    # Written so that NaN lies outside.
    return (
        (low is None or value >= low)
        and (high is None or value <= high)
        and (value - value == 0)
    )


def _range_in_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def benchmark_training() -> bool:
    """Trains one VAE twice: with `fit`, and as the usual recipe does. Prints both."""
    import torch

    from helpers import runtime
    from helpers.datasets import mnist
    from helpers.training import fit

    digits = mnist()
    runtime.start("benchmark", seed=0)
    model = _vae()
    history = fit(model, digits.train, _negative_elbo, epochs=9, lr=4e-3, name="fit")
    ours = (9, history.seconds, _test_loss(model, digits.test))

    runtime.start("benchmark", seed=0)
    model = _vae()
    seconds = _train_with_loader(model, epochs=10)
    theirs = (10, seconds, _test_loss(model, digits.test))

    print(f"\n{'':44}{'epochs':>7}{'seconds':>9}{'epochs/s':>10}{'test nats':>11}")
    recipes = {"fit: AdamW, one cycle 4e-3, batch 256": ours}
    recipes["DataLoader, ToTensor: Adam 1e-3, batch 128"] = theirs
    for name, (epochs, seconds, loss) in recipes.items():
        speed = epochs / seconds
        print(f"{name:44}{epochs:7}{seconds:9.1f}{speed:10.2f}{loss:11.2f}")
    print(f"fit is {theirs[1] / ours[1]:.1f} times faster ({torch.__version__}).")
    return True


def _vae():
    """A 784-400-20 VAE; returns logits of the pixels, means and log variances."""
    import torch
    from torch import nn

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Flatten(),
                nn.Linear(784, 400),
                nn.ReLU(),
                nn.Linear(400, 2 * VAE_CODE),
            )
            self.decoder = nn.Sequential(
                nn.Linear(VAE_CODE, 400), nn.ReLU(), nn.Linear(400, 784)
            )

        def forward(self, images):
            mean, log_variance = self.encoder(images).chunk(2, dim=1)
            code = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
            return self.decoder(code), mean, log_variance

    return VAE()


def _negative_elbo(output, images):
    """Cross-entropy of grey targets + KL to a standard normal, nats per image."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    logits, mean, log_variance = output
    targets = images.flatten(1)
    error = binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    kl = 0.5 * torch.sum(mean**2 + log_variance.exp() - log_variance - 1)
    return (error + kl) / len(images)


def _test_loss(model, images) -> float:
    import torch

    torch.manual_seed(0)
    device = next(model.parameters()).device
    with torch.no_grad():
        parts = [part.to(device) for part in images.split(1000)]
        return sum(_negative_elbo(model(p), p).item() * len(p) for p in parts) / len(
            images
        )


def _train_with_loader(model, epochs: int) -> float:
    """The recipe of most tutorials, on the same files; returns its seconds."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import MNIST
    from torchvision.transforms import ToTensor

    from helpers.datasets.mnist import RAW

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(RAW, Path(folder, "MNIST", "raw"))
        # "download" only unpacks the files that are there.
        data = MNIST(folder, train=True, transform=ToTensor(), download=True)
    loader = DataLoader(data, batch_size=128, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    begin = time.perf_counter()
    for epoch in range(epochs):
        for images, _ in loader:
            loss = _negative_elbo(model(images), images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"\rDataLoader: epoch {epoch + 1} of {epochs}", end="", flush=True)
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add(
        "--notebooks",
        nargs="*",
        metavar="NOTEBOOK",
        help="only notebooks (all, or these)",
    )
    add("--training", action="store_true", help="only `fit` beside a DataLoader")
    add(
        "--seeds",
        nargs="+",
        type=int,
        metavar="SEED",
        help="claims for each seed instead",
    )
    add(
        "--write",
        action="store_true",
        help="with --seeds: at full effort, and the range goes to expected.toml",
    )
    options = parser.parse_args()
    if options.write and len(set(options.seeds or [])) < 2:
        parser.error("--write needs --seeds and two or more of them")
    succeeded = True
    if options.seeds:
        write = dict(expected=EXPECTED, HELPERS_EFFORT="full") if options.write else {}
        for path in notebook_paths(options.notebooks or []):
            succeeded &= claims_over_seeds(path, options.seeds, **write)
        return 0 if succeeded else 1
    if options.notebooks is not None or not options.training:
        succeeded &= benchmark_notebooks(notebook_paths(options.notebooks or []))
    if options.training or options.notebooks is None:
        succeeded &= benchmark_training()
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
