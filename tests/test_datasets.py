"""The digits are the official ones, and no data set needs a network."""

import gzip
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import urllib.request
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import cbook, ft2font

from helpers import datasets
from helpers.datasets import (
    DatasetError,
    curve_of_points,
    letters,
    line_of_points,
    mnist,
    photo_patches,
)
from helpers.datasets.letters import FONTS, LETTERS, _choices, _font
from helpers.datasets.mnist import RAW, SIZES
from helpers.datasets.photos import _photo

ROOT = Path(__file__).parents[1]


def run_python(script, **environment):
    """Run a script in a fresh interpreter; return its output, or fail with it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def unpack(name, header):
    data = gzip.decompress((RAW / name).read_bytes())
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).copy())


def contents(folder):
    return {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.iterdir()}


@pytest.fixture(scope="module")
def digits():
    return mnist()


@pytest.fixture
def raw_copy():
    # Not tmp_path: pytest would keep these copies of 12 MB for the next runs.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(RAW, Path(folder) / "raw"))


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        pytest.fail("something tried to reach the network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)


# MNIST


def test_mnist_form(digits):
    assert digits.train.shape == (60_000, 1, 28, 28)
    assert digits.test.shape == (10_000, 1, 28, 28)
    for images, labels in (digits[:2], digits[2:]):
        assert images.dtype == torch.float32 and images.is_contiguous()
        assert images.min() == 0 and images.max() == 1
        assert labels.dtype == torch.int64 and labels.shape == (len(images),)
        assert labels.unique().tolist() == list(range(10))


def test_mnist_is_mnist(digits):
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert digits.test.mean().item() == pytest.approx(0.1325, abs=5e-5)
    assert (digits.test == 0).float().mean().item() == pytest.approx(0.807, abs=5e-4)


@pytest.mark.parametrize("part, name", [("train", "train"), ("test", "t10k")])
def test_mnist_gives_back_the_bytes_of_the_files(digits, part, name):
    images, labels = getattr(digits, part), getattr(digits, f"{part}_labels")
    pixels = unpack(f"{name}-images-idx3-ubyte.gz", 16).view(-1, 1, 28, 28)
    assert len(pixels) == len(images)
    for some, same in zip(images.split(10_000), pixels.split(10_000), strict=True):
        assert torch.equal((some * 255).round().to(torch.uint8), same)
    assert torch.equal(labels, unpack(f"{name}-labels-idx1-ubyte.gz", 8).long())


def test_mnist_works_offline_from_a_read_only_folder(
    raw_copy, no_network, monkeypatch, tmp_path, capfd
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = contents(raw_copy)
    for path in (*raw_copy.iterdir(), raw_copy):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert len(mnist(raw=raw_copy).train) == 60_000
        # Root may write to it all the same, so look at what is there, too.
        assert contents(raw_copy) == before
    finally:
        raw_copy.chmod(0o755)
    assert list(tmp_path.iterdir()) == [], "the unpacked files must go"
    assert capfd.readouterr() == ("", "")


def test_mnist_leaves_nothing_in_the_repository(digits):
    assert sorted(path.name for path in RAW.iterdir()) == sorted(SIZES)


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(
    "damage, says",
    [
        (flip_a_byte, "is damaged: its MD5 checksum is"),
        (truncate, "bytes instead of"),
        (Path.unlink, "is missing"),
    ],
)
def test_mnist_names_a_bad_file(raw_copy, no_network, name, damage, says):
    damage(raw_copy / name)
    with pytest.raises(DatasetError, match=re.escape(f"{name} ")) as caught:
        mnist(raw_copy)
    message = str(caught.value)
    assert says in message and str(raw_copy) in message
    assert f"`git checkout -- helpers/datasets/MNIST/raw/{name}`" in message


def test_mnist_readme_states_the_files():
    readme = (RAW.parent / "README.md").read_text(encoding="utf-8")
    for name, size in SIZES.items():
        data = (RAW / name).read_bytes()
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        assert len(data) == size
        assert f"| `{name}` | {size} | `{md5}` |" in readme
        assert f"{hashlib.sha256(data).hexdigest()}  {name}" in readme


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs Linux's /proc"
)
def test_mnist_memory():
    # The tensors take 210 MiB; their bytes, unpacked, and a copy may stand beside them.
    script = """
        import re
        from pathlib import Path
        from helpers.datasets import mnist

        def peak():
            status = Path("/proc/self/status").read_text()
            return int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024

        before = peak()
        digits = mnist()
        print(peak() - before)
    """
    assert float(run_python(script)) < 210 + 50


# Letters and photographs


@pytest.mark.parametrize("make", [letters, photo_patches])
def test_pictures_form(make):
    images = make(500)
    assert images.shape == (500, 1, 28, 28) and images.dtype == torch.float32
    assert images.min() >= 0 and images.max() <= 1
    steps = (images * 255).round()
    assert torch.equal(steps.div(255), images), "steps of 1/255"
    assert images.flatten(1).std(dim=1).min() > 0.05, "no empty pictures"
    assert len(images.flatten(1).unique(dim=0)) == 500, "all different"


@pytest.mark.parametrize("make", [letters, photo_patches])
def test_pictures_follow_the_seed(make):
    assert torch.equal(make(40, seed=3), make(40, seed=3))
    assert torch.equal(make(40, seed=3)[:10], make(10, seed=3))
    assert not torch.equal(make(40, seed=3), make(40, seed=4))
    assert torch.equal(make(40), make(40, seed=0))


@pytest.mark.parametrize("make", [letters, photo_patches])
def test_pictures_count_and_seed(make):
    assert len(make(0)) == 0
    for bad in (2.0, "10", None, True):
        with pytest.raises(TypeError, match="count must be a whole number"):
            make(bad)
        with pytest.raises(TypeError, match="seed must be a whole number"):
            make(1, seed=bad)
    with pytest.raises(ValueError, match="count is -1"):
        make(-1)
    with pytest.raises(ValueError, match="seed is -1"):
        make(1, seed=-1)


def test_letters_are_laid_out_as_in_mnist():
    images = letters(1000)[:, 0]
    for axis in (1, 2):
        ink = images.sum(axis)
        extent = (ink > 0).sum(1)
        assert extent.max() <= 20
        centre = (ink * (torch.arange(28) + 0.5)).sum(1) / ink.sum(1)
        assert (centre - 14).abs().max() <= 0.51, "centred by mass to half a pixel"
    longest = torch.maximum((images.sum(1) > 0).sum(1), (images.sum(2) > 0).sum(1))
    assert longest.min() >= 16


def test_letters_show_every_letter():
    labels = torch.from_numpy(_choices(2000, 0)[:, 0] * 52).long()
    assert labels.unique().tolist() == list(range(52))
    # A letter resembles the mean of its own kind more than that of the other letters.
    images = letters(2000).flatten(1)
    means = torch.stack([images[:1000][labels[:1000] == i].mean(0) for i in range(52)])
    nearest = torch.cdist(images[1000:], means).argmin(1)
    assert (nearest == labels[1000:]).float().mean() > 0.5


def test_letters_fonts_have_all_letters():
    for name in FONTS:
        path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
        assert {ord(letter) for letter in LETTERS} <= set(
            ft2font.FT2Font(str(path)).get_charmap()
        ), name


def test_missing_files_of_matplotlib_are_named(monkeypatch, tmp_path):
    def no_sample(name):
        raise FileNotFoundError(2, "No such file or directory", name)

    _photo.cache_clear()
    _font.cache_clear()
    monkeypatch.setattr(cbook, "get_sample_data", no_sample)
    monkeypatch.setattr(matplotlib, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(DatasetError, match=r"grace_hopper\.jpg.*reinstall"):
        photo_patches(1)
    with pytest.raises(DatasetError, match=r"\.ttf.*reinstall"):
        letters(1)


# torchvision beside a CPU build of torch


def test_torchvision_can_be_imported():
    run_python("""
        try:
            import torchvision
            alone = True
        except RuntimeError:
            alone = False

        import helpers.datasets
        import torchvision
        from torchvision import datasets, models, transforms, utils
        from helpers.datasets._torchvision import import_torchvision

        assert import_torchvision() is False, "the second call has nothing to do"
        assert torchvision.extension._has_ops() == alone, "a full install is untouched"
        import torch
        small = transforms.Resize(14)(torch.zeros(1, 28, 28))
        assert small.shape == (1, 14, 14)
        models.resnet18(weights=None)
    """)


def test_torchvision_fix_keeps_off_other_cases(tmp_path):
    # A torchvision that loads by itself, and one with another error, both made up.
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import os\n"
        "if os.environ.get('BROKEN'):\n"
        "    raise RuntimeError('CUDA versions differ')\n",
        encoding="utf-8",
    )
    source = datasets._torchvision.__file__
    script = f"""
        import importlib.util, os, sys
        import torch
        sys.path.insert(0, {str(tmp_path)!r})
        spec = importlib.util.spec_from_file_location("fix", {source!r})
        fix = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(fix)
            print("imported", fix.import_torchvision())
        except RuntimeError as error:
            print(error)
        print(hasattr(torch.ops.torchvision, "nms"))
    """
    assert run_python(script).split("\n") == ["imported False", "False", ""]
    assert run_python(script, BROKEN="1").split("\n") == [
        "CUDA versions differ",
        "False",
        "",
    ]


@pytest.mark.parametrize("cloud", [line_of_points, curve_of_points])
def test_points_in_a_plane_repeat_with_their_generator(cloud):
    one, same, other = (
        cloud(200, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert one.shape == (200, 2) and torch.equal(one, same)
    assert not torch.equal(one, other)


def test_shares_of_the_forms_add_up():
    for crowd in datasets.CROWDS:
        for careless in (0, 0.01, 1):
            for table in datasets.answer_tables(crowd, careless):
                assert table.dtype == torch.double and table.sum() == pytest.approx(1)
        assert all(table.min() > 0 for table in datasets.answer_tables(crowd))


def test_forms_are_drawn_with_their_shares():
    generator = torch.Generator().manual_seed(0)
    forms = datasets.draw_forms("dogs", 20_000, generator)
    assert forms.shape == (20_000, len(datasets.FORM))
    for column, table in zip(forms.T, datasets.answer_tables("dogs"), strict=True):
        counted = torch.bincount(column, minlength=len(table)) / len(column)
        assert (counted - table).abs().max() < 0.015


def test_a_crowd_that_nobody_knows():
    with pytest.raises(ValueError, match="village A, village B, dogs, not 'cats'"):
        datasets.answer_tables("cats")
    with pytest.raises(ValueError, match="careless must be from 0 to 1"):
        datasets.answer_tables("dogs", careless=-0.1)
