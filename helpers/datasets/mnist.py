"""Every notebook calls `mnist()` for the digits, from files that lie beside this one.

The four official files come with the repository, because classrooms have firewalls
and download addresses die. `MNIST/README.md` names their source and licence.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
from torchvision import datasets as torchvision_datasets

from helpers.datasets._shared import DatasetError, as_images

RAW = Path(__file__).parent / "MNIST" / "raw"

SIZES = {  # bytes
    "train-images-idx3-ubyte.gz": 9_912_422,
    "train-labels-idx1-ubyte.gz": 28_881,
    "t10k-images-idx3-ubyte.gz": 1_648_877,
    "t10k-labels-idx1-ubyte.gz": 4_542,
}


class Digits(NamedTuple):
    """MNIST in memory: images float32 (n, 1, 28, 28) in [0, 1], labels int64 (n,)."""

    train: torch.Tensor
    train_labels: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor


def mnist(raw: str | Path | None = None) -> Digits:
    """Return MNIST: 60,000 images to train on, 10,000 to test on, and their labels.

    Pixels are 0 (paper) to 1 (ink) in steps of 1/255. `raw` is a folder with the four
    official .gz files, by default the one in this package; it is only read.

    Raises DatasetError if one of the files is missing or damaged.
    """
    folder = RAW if raw is None else Path(raw)
    # Before torchvision sees them: it would replace a damaged file from the network.
    for name, md5 in torchvision_datasets.MNIST.resources:
        _check_file(folder / name, md5)
    # torchvision unpacks next to the files, and a class may share a read-only checkout.
    with tempfile.TemporaryDirectory(prefix="mnist-") as root:
        copy = Path(root) / "MNIST" / "raw"
        copy.mkdir(parents=True)
        for name in SIZES:
            shutil.copyfile(folder / name, copy / name)
        train, train_labels = _read(root, train=True)
        test, test_labels = _read(root, train=False)
    return Digits(train, train_labels, test, test_labels)


def _read(root: str, train: bool) -> tuple[torch.Tensor, torch.Tensor]:
    # "download" checks and unpacks the files that are there; it has nothing to fetch.
    data = torchvision_datasets.MNIST(root, train=train, download=True)
    return as_images(data.data), data.targets


def _check_file(path: Path, md5: str) -> None:
    if not path.is_file():
        problem = "is missing"
    elif (size := path.stat().st_size) != SIZES[path.name]:
        problem = f"has {size:,} bytes instead of {SIZES[path.name]:,}"
    elif (found := _md5(path)) != md5:
        problem = f"is damaged: its MD5 checksum is {found} instead of {md5}"
    else:
        return
    raise DatasetError(
        f"The MNIST file {path.name} {problem} (looked in {path.parent}). Restore it "
        f"with `git checkout -- helpers/datasets/MNIST/raw/{path.name}` in the "
        "repository's folder, or copy it again from a source named in "
        "helpers/datasets/MNIST/README.md."
    )


def _md5(path: Path) -> str:
    # MD5 finds damage, which is all it is for here; some systems ask to be told so.
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest()
