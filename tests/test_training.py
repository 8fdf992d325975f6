"""`fit` trains, repeats, reports, and survives an interruption."""

import re
from collections import namedtuple

import matplotlib.pyplot as plt
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

from helpers import runtime, training

CPU = torch.device("cpu")


@pytest.fixture(
    autouse=True, params=[torch.float32, torch.bfloat16], ids=["f32", "bf16"]
)
def run(request, monkeypatch):
    """Both precisions, whatever this machine has: bfloat16 is emulated if need be."""
    run = runtime.Run("test", 0, CPU, 1, request.param, "full")
    monkeypatch.setattr(runtime, "_current", run)
    return run


def line(n=64, seed=0):
    """Points on y = x W + b, with W and b."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=generator)
    w = torch.tensor([[1.0, -2.0], [0.5, 0.0], [3.0, 1.0]])
    b = torch.tensor([0.5, -1.0])
    return x, x @ w + b, w, b


def squared(output, x, y):
    return ((output - y) ** 2).sum(1).mean()


def linear(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


def train(model, **options):
    x, y, *_ = line()
    options = dict(epochs=3, batch_size=20) | options
    loss = options.pop("loss", squared)
    return training.fit(model, (x, y), loss, **options)


def test_learns_a_known_map(run):
    _, _, w, b = line()
    model = linear()
    history = train(model, epochs=150, lr=0.1, weight_decay=0.0)
    close = 1e-3 if run.precision == torch.float32 else 3e-2
    torch.testing.assert_close(model.weight.T, w, atol=close, rtol=0)
    torch.testing.assert_close(model.bias, b, atol=close, rtol=0)
    assert len(history.losses) == 150 and history.losses[-1] < close < history.losses[0]
    assert not history.interrupted and history.seconds > 0 and history.watched == []


def test_the_same_seed_gives_the_same_weights():
    def trained(seed):
        model = linear(seed)
        losses = train(model).losses
        return torch.cat([p.detach().flatten() for p in model.parameters()]), losses

    first, again, other = trained(1), trained(1), trained(2)
    assert torch.equal(first[0], again[0]) and first[1] == again[1]
    assert not torch.equal(first[0], other[0])


def test_the_reported_loss_is_the_mean_over_the_images():
    x, y, *_ = line()
    model = linear()
    before = squared(model(x), x, y).item()
    history = train(model, epochs=1, lr=1e-12, batch_size=30)  # 30 + 30 + 4
    assert history.losses == pytest.approx([before], rel=1e-2)


def test_every_row_once_an_epoch_and_together_with_its_label():
    seen = []

    def loss(output, x, label):
        assert torch.equal(x[:, 0], label.float())
        seen.append(label)
        return output.mean()

    rows = torch.arange(10)
    data = [rows[:, None].float(), rows]  # a list serves as well as a tuple
    training.fit(nn.Linear(1, 1), data, loss, epochs=2, batch_size=4)
    assert [len(labels) for labels in seen] == [4, 4, 2, 4, 4, 2]
    first, second = torch.cat(seen[:3]), torch.cat(seen[3:])
    assert torch.equal(first.sort().values, rows)
    assert torch.equal(second.sort().values, rows)
    assert not torch.equal(first, second)


def test_one_tensor_alone():
    model = nn.Linear(3, 3)
    history = training.fit(
        model, line()[0], lambda out, x: (out - x).square().mean(), epochs=2
    )
    assert len(history.losses) == 2


def test_images_of_bytes_and_nothing_else_become_floats():
    seen = []

    def loss(output, images, labels, counts):
        seen.append((images, labels, counts))
        return output.square().mean()

    images = torch.arange(0, 250, 10, dtype=torch.uint8)[:, None, None].expand(-1, 2, 2)
    labels, counts = images[:, 0, 0], images.long()
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    data = images, labels, counts
    training.fit(model, data, loss, epochs=1, batch_size=10, validation=data)
    assert len(seen) == 6  # three batches to train on, three to look at
    for pixels, label, count in seen:
        assert (pixels.dtype, label.dtype, count.dtype) == (
            *(torch.float32, torch.uint8, torch.int64),
        )
        assert torch.equal(pixels[:, 1, 1], label.float() / 255)
        assert torch.equal(count[:, 1, 1], label.long())
    flat = training.predict(model, images)
    assert torch.equal(flat, training.predict(model, images.float() / 255))


def test_validation():
    x, y, *_ = line(50, seed=1)
    modes, means = [], []

    def loss(output, *batch):
        modes.append((model.training, torch.is_grad_enabled()))
        return squared(output, *batch) + 0 * torch.rand(())

    def watch(model):
        means.append(squared(model(x), x, y).item())

    model = linear()
    history = train(model, loss=loss, watch=watch, validation=(x, y))
    assert history.validation == pytest.approx(means, rel=2e-2)  # bfloat16: 8 bits
    assert modes == 3 * (4 * [(True, True)] + 3 * [(False, False)])
    # The numbers drawn on the validation data do not change the training.
    assert train(linear(), loss=loss).losses == history.losses


def test_transform_and_watch():
    modes = []

    def transform(x, y):
        modes.append(model.training)
        return 2 * x, y

    def loss(output, x, y):
        doubled.append(x.abs().max().item())
        return squared(output, x, y)

    doubled, model = [], linear()
    history = train(
        model,
        loss=loss,
        transform=transform,
        watch=lambda m: (m is model, m.training),
        batch_size=64,
    )
    assert history.watched == [(True, False)] * 3  # in evaluation mode
    assert modes == [True] * 3  # and back to training
    assert doubled == pytest.approx([2 * line()[0].abs().max().item()] * 3)


def test_transform_may_return_one_tensor():
    x = line()[0]
    model = nn.Linear(3, 3)
    training.fit(
        model,
        x,
        lambda out, x: out.mean() + 0 * x.sum(),
        epochs=1,
        transform=lambda x: -x,
    )


def test_network_in_the_precision_of_the_run_and_loss_in_float32(run):
    inside = []

    class Several(nn.Module):
        def __init__(self, pack):
            super().__init__()
            self.linear, self.pack = nn.Linear(3, 2), pack

        def forward(self, x):
            output = self.linear(x)
            inside.append(output.dtype)
            return self.pack(output)

    pair = namedtuple("Pair", "mean spread")
    packs = {
        "tensor": (lambda o: o, lambda p: p),
        "tuple": (lambda o: (o, o.argmax(1), None), lambda p: p[0]),
        "nested": (lambda o: ((o, o), o), lambda p: p[0][1]),
        "list": (lambda o: [o, o], lambda p: p[1]),
        "dictionary": (lambda o: {"mean": o}, lambda p: p["mean"]),
        "namedtuple": (lambda o: pair(o, o), lambda p: p.spread),
    }
    for kind, (pack, unpack) in packs.items():

        def loss(packed, x, y, unpack=unpack, kind=kind):
            assert unpack(packed).dtype == torch.float32, kind
            assert not torch.is_autocast_enabled("cpu")
            if kind == "tuple":
                assert packed[1].dtype == torch.int64 and packed[2] is None
            return squared(unpack(packed), x, y)

        model = Several(pack)
        train(model, loss=loss, epochs=1)
        assert model.linear.weight.dtype == torch.float32
    assert set(inside) == {run.precision}


def test_a_network_outside_of_fit_in_its_precision(run):
    inside, network = [], linear()
    network.register_forward_hook(lambda *given: inside.append(given[-1].dtype))
    fast = training.InFitPrecision(network)
    x = torch.randn(5, 3, requires_grad=True)
    output = fast(x)
    assert inside == [run.precision] and output.dtype == torch.float32
    output.sum().backward()
    assert x.grad is not None and network.weight.grad.dtype == torch.float32
    assert set(fast.parameters()) == set(network.parameters())


def test_interruption_leaves_a_usable_model(capsys):
    steps = []

    def loss(output, x, y):
        steps.append(1)
        if len(steps) == 6:  # four batches an epoch
            raise KeyboardInterrupt
        return squared(output, x, y)

    model = linear()
    history = train(model, epochs=5, loss=loss, watch=lambda m: "watched")
    assert history.interrupted and len(history.losses) == 1
    assert history.watched == ["watched"] and history.seconds > 0
    assert not model.training
    assert torch.isfinite(model(line()[0])).all()
    assert "stopped by the reader after 1 epoch, loss" in capsys.readouterr().out
    assert len(train(model).losses) == 3  # and it can be trained further


def test_a_loss_that_is_not_a_number(capsys):
    model = linear()
    with pytest.raises(FloatingPointError, match=r"VAE: the loss is nan in epoch 1\."):
        train(model, loss=lambda out, x, y: out.sum() * float("nan"), name="VAE")
    assert not model.training
    assert capsys.readouterr().out.rstrip().endswith("VAE: failed after 0 epochs")


def test_an_infinite_loss():
    with pytest.raises(FloatingPointError, match="lower learning rate"):
        train(linear(), loss=lambda out, x, y: out.sum() * 0 + float("inf"))


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (
            lambda out, x, y: (out - y).square(),
            r"a tensor of shape \(20, 2\)\. Usually",
        ),
        (lambda out, x, y: squared(out, x, y).item(), "as a tensor, not a float"),
        (lambda out, x, y: None, "not a NoneType"),
    ],
)
def test_a_loss_that_is_not_one_number(loss, says):
    with pytest.raises(ValueError, match=f"one number for the whole batch.* {says}"):
        train(linear(), loss=loss)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ((torch.zeros(3, 1), torch.zeros(4)), r"same number of rows.*\[3, 4\]"),
        (torch.zeros(0, 1), "at least one"),
        ((), "same number of rows"),
        (torch.tensor(1.0), "must be a tensor"),
        (torch.zeros(3, 1).numpy(), "torch.as_tensor"),
        ((torch.zeros(3, 1), [1, 2, 3]), "torch.as_tensor"),
    ],
)
def test_bad_data(data, says):
    with pytest.raises(ValueError, match=says):
        training.fit(nn.Linear(1, 1), data, lambda out, *_: out.sum(), epochs=1)


@pytest.mark.parametrize("name", ["epochs", "batch_size"])
@pytest.mark.parametrize("value", [0, -1])
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not {value}"):
        train(linear(), **{name: value})


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 9, 10, 11, 19, 20, 21, 40, 200])
def test_the_learning_rate_rises_and_falls(monkeypatch, steps):
    rates = []

    class Spy(torch.optim.AdamW):
        def step(self, *arguments):
            rates.append(self.param_groups[0]["lr"])
            return super().step(*arguments)

    monkeypatch.setattr(torch.optim, "AdamW", Spy)
    train(linear(), epochs=steps, batch_size=64, lr=0.5)
    assert len(rates) == steps
    if steps < 3:
        return  # too short for a rise and a fall
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.5, rel=0.05)
    assert peak == 1 if steps < 20 else abs(peak - (0.1 * steps - 1)) < 1
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 0.001 < rates[0] < 0.1


@pytest.mark.parametrize("name", ["training", "code of {2} numbers", "50 % noise"])
def test_progress_bar(capsys, name):
    history = train(linear(), name=name)
    out, err = capsys.readouterr()
    assert err == ""
    assert f"{name}:   0 %|" in out
    assert " left, loss " in out
    last = re.split(r"[\r\n]+", out.strip())[-1]
    assert last.strip() == f"{name}: 3 epochs, loss {history.losses[-1]:.4g}"


def test_progress_bar_counts_in_english(capsys):
    train(linear(), epochs=1)
    assert "training: 1 epoch, loss" in capsys.readouterr().out


def test_a_history_shows_nothing_and_draws_its_curve():
    shell = InteractiveShell.instance()
    history = train(linear(), validation=line(seed=1)[:2])
    assert shell.display_formatter.format(history) == ({}, {})
    (axes,) = history.curve().axes
    assert [curve.get_ydata().tolist() for curve in axes.lines] == [
        history.losses,
        history.validation,
    ]
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    plt.close("all")
    (axes,) = train(linear()).curve().axes
    assert len(axes.lines) == 1 and axes.get_legend() is None
    plt.close("all")


def test_smoke_stops_after_a_few_steps(monkeypatch, capsys):
    smoke = runtime.Run("test", 0, CPU, 1, torch.float32, "smoke")
    monkeypatch.setattr(runtime, "_current", smoke)
    batches = []

    def loss(output, *batch):
        batches.append(len(output))
        return squared(output, *batch)

    history = train(linear(), loss=loss, watch=id, validation=line(90)[:2])
    assert batches == 6 * [20]  # one to train on, one to look at
    assert [len(history.losses), len(history.validation)] == [3, 3]
    assert list(training.progress(range(21), "steps")) == [0, 1, 2]
    for items in (range(20), list(range(21))):
        assert list(training.progress(items, "kinds")) == list(items)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_predict_equals_the_full_forward(batch_size):
    x, model = line()[0], linear().eval()
    output = training.predict(model, x, batch_size)
    assert output.dtype == torch.float32 and not output.requires_grad
    torch.testing.assert_close(output, model(x).detach())


def test_predict_puts_each_part_into_evaluation_mode_and_back():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.9), nn.BatchNorm1d(2))
    model[2].eval()  # frozen by its owner
    x = line()[0]

    def modes():
        return [part.training for part in model.modules()]

    before = modes()
    output = training.predict(model, x)
    assert before == modes() == [True, True, True, False]
    assert torch.equal(training.predict(model.forward, x), output)  # a method
    assert torch.equal(output, model.eval()(x))
    with pytest.raises(RuntimeError):
        training.predict(model.train(), x[:, :2])
    assert modes() == [True] * 4


class Shifted(nn.Module):
    """On two devices its calculation fails, also with `meta`, where nothing is."""

    def __init__(self, device):
        super().__init__()
        self.register_buffer("by", torch.ones(1, 2, device=device))

    def forward(self, x):
        return torch.cat([self.by, x])[1:]


def test_predict_says_on_which_devices_networks_and_inputs_lie():
    by_hand, x = Shifted("meta"), torch.zeros(5, 2)
    both = nn.Sequential(nn.Linear(2, 2), by_hand)
    with pytest.raises(ValueError, match=r"lie on cpu and meta.*model\.to"):
        training.predict(both, x)
    with pytest.raises(ValueError, match=r"inputs on cpu, .* calls by_hand on meta\."):
        training.predict(lambda part: by_hand(part), x)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        training.predict(lambda part: linear()(part[:, :1]), x)


def test_predict_takes_any_function_and_no_rows():
    x = line()[0]
    assert torch.equal(training.predict(lambda part: part.double() + 1, x, 10), x + 1)
    assert training.predict(linear(), x[:0]).shape == (0, 2)


def shifts(image, pixels):
    """All the shifts of one image (h, w), by copying pixel after pixel."""
    h, w = image.shape
    for down in range(-pixels, pixels + 1):
        for right in range(-pixels, pixels + 1):
            moved = torch.zeros_like(image)
            for r in range(h):
                for c in range(w):
                    if 0 <= r + down < h and 0 <= c + right < w:
                        moved[r + down, c + right] = image[r, c]
            yield moved


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_random_shift_against_brute_force(pixels):
    torch.manual_seed(0)
    image = torch.rand(5, 4) + 0.1  # not square, nowhere black
    n = 100 * (2 * pixels + 1) ** 2
    moved = training.random_shift(image.expand(n, 1, 5, 4), pixels)
    assert moved.shape == (n, 1, 5, 4)
    wanted = torch.stack(list(shifts(image, pixels)))
    matches = (moved == wanted).all(dim=(2, 3))  # (n, shifts)
    assert (matches.sum(1) == 1).all()
    # 100 expected of each; the standard deviation is at most 10.
    assert matches.sum(0).min() > 55 and matches.sum(0).max() < 145


def test_random_shift_keeps_the_images_apart():
    torch.manual_seed(1)
    images = torch.arange(1.0, 51.0)[:, None, None, None] * torch.ones(1, 1, 6, 6)
    moved = training.random_shift(images)
    for i, image in enumerate(moved):
        assert set(image.unique().tolist()) <= {0.0, i + 1.0}
        assert image[0, 1:-1, 1:-1].eq(i + 1).all()


def test_random_shift_moves_nothing_on_average():
    torch.manual_seed(2)
    images = torch.zeros(4000, 1, 9, 9)
    images[:, 0, 4, 4] = 1
    moved = training.random_shift(images)
    places = torch.arange(9.0)
    rows = (moved.sum(3)[:, 0] * places).sum(1)
    columns = (moved.sum(2)[:, 0] * places).sum(1)
    # The mean of 4000 draws from {-1, 0, 1} has a standard deviation of 0.013.
    assert abs(rows.mean() - 4) < 0.06 and abs(columns.mean() - 4) < 0.06
    both = torch.stack([rows, columns])
    assert abs(torch.corrcoef(both)[0, 1]) < 0.08


@pytest.mark.parametrize("shape", [(5, 28, 28), (28, 28), (5, 3, 28, 28), (5, 784)])
def test_random_shift_rejects_other_shapes(shape):
    with pytest.raises(ValueError, match=r"images must be \(n, 1, h, w\)"):
        training.random_shift(torch.zeros(shape))


def test_progress_yields_all_and_leaves_one_line(capsys):
    assert list(training.progress(["a", "b"], "letters")) == ["a", "b"]
    out, err = capsys.readouterr()
    assert out.rstrip().endswith("letters: 2 of 2 done") and not err


def test_progress_says_where_it_stopped(capsys):
    numbers = training.progress(range(5), "numbers")
    next(numbers), next(numbers)
    numbers.close()
    assert capsys.readouterr().out.rstrip().endswith("numbers: 1 of 5 done")


def test_moving_mean():
    values = torch.tensor([1.0, 2, 6, 0])
    assert training.moving_mean(values, 2).tolist() == [1.5, 4, 3]
    assert training.moving_mean(values, 9).tolist() == [2.25]
    assert training.moving_mean(values[:, None].repeat(1, 3), 4).shape == (1, 3)
    assert len(training.moving_mean(values[:0], 2)) == 0
    with pytest.raises(ValueError, match="at least 1, not 0"):
        training.moving_mean(values, 0)
