"""Every notebook that trains a network calls `fit`: one loop for all, with a progress
bar, so that the notebooks can show the network and the loss and nothing else."""

import inspect
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from helpers import runtime

MANY_STEPS = 20  # at smoke effort `progress` over a longer range ends after three


@dataclass
class History:
    """What happened during `fit`. As the last line of a cell it shows nothing.

    Attributes:
        losses: the mean training loss of each finished epoch.
        validation: the mean loss on the validation data after each finished epoch.
        watched: what `watch` returned after each finished epoch.
        seconds: duration of the training.
        interrupted: whether the reader stopped it before its end.
    """

    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    watched: list = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def _ipython_display_(self) -> None:
        """A cell that ends with `fit` shows its progress bar and nothing else."""

    def curve(self):
        """A figure of the loss by epoch, and of the validation loss where there is one.

        Returns:
            A matplotlib figure, for `helpers.figures.show`.
        """
        from helpers import figures  # here, because a training needs no figures

        return figures.loss_curves(self.losses, self.validation)


def fit(
    model: nn.Module,
    data: Tensor | tuple[Tensor, ...],
    loss: Callable[..., Tensor],
    *,
    epochs: int,
    lr: float = 2e-3,
    batch_size: int = 256,
    weight_decay: float = 0.01,
    transform: Callable[..., tuple[Tensor, ...]] | None = None,
    watch: Callable[[nn.Module], object] | None = None,
    validation: Tensor | tuple[Tensor, ...] | None = None,
    name: str = "training",
) -> History:
    """Trains `model` in place with AdamW and a one-cycle learning rate.

    The whole data set stays in memory as one tensor: indexing it with a permutation is
    many times faster than a loader that decodes image after image. The network runs in
    the precision of `runtime.start`, the loss in float32. Interrupting the kernel stops
    the training early; model and history stay usable. At smoke effort, which is for
    tests, an epoch has one batch.

    Images may be bytes: of each batch, a tensor of type uint8 with two dimensions or
    more is divided by 255 and becomes float32. Every other tensor stays as it is, for
    example labels (n,), whatever their type.

    Args:
        model: called with the first tensor of a batch.
        data: a tensor (n, ...), or several with the same n, such as images and labels.
        loss: `loss(output, *batch)` gives the scalar to minimise, where `output` is
            what the model returned (a tensor, or a tuple, list or dictionary with
            tensors), as float32.
        epochs: passes over the data.
        lr: the highest learning rate, reached after a tenth of the steps.
        transform: `transform(*batch)` gives the batch to train on, for example the same
            images moved a little.
        watch: called with the model after each epoch; its result goes into the history.
        validation: data of the same kind that are not trained on. Their mean loss after
            each epoch, without `transform`, goes into the history. The random numbers
            that it takes do not change the training.
        name: stands before the progress bar.

    Returns:
        The history. The model is left in evaluation mode.

    Raises:
        ValueError: the data are no tensors, differ in length or are empty, `epochs` or
            `batch_size` is below 1, or the loss of a batch is not one number.
        FloatingPointError: the loss became infinite or not a number.
    """
    run = runtime.current()
    tensors = _as_tuple(data)
    count = _common_length(tensors)
    if validation is not None:
        validation = _as_tuple(validation)
        _common_length(validation)
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}.")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
    model.to(run.device).train()
    tensors = tuple(tensor.to(run.device) for tensor in tensors)
    if run.effort == "smoke":
        count = min(count, batch_size)
    steps = math.ceil(count / batch_size) * epochs
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=lr, weight_decay=weight_decay, fused=True
    )
    # OneCycleLR divides by zero when the highest rate falls on the very first step.
    rise = 2 / steps if 2 < steps < 20 else 0.1
    schedule = OneCycleLR(optimizer, lr, total_steps=steps, pct_start=rise)
    history, begin = History(), time.perf_counter()
    bar, end = _progress_bar(name, steps), "failed after"
    try:
        for epoch in range(epochs):
            model.train()
            total = torch.zeros((), device=run.device)
            order = torch.randperm(len(tensors[0]), device=run.device)[:count]
            for chosen in order.split(batch_size):
                batch = tuple(_as_floats(tensor[chosen]) for tensor in tensors)
                if transform is not None:
                    batch = _as_tuple(transform(*batch))
                value = _scalar(loss(_forward(model, batch[0], run), *batch), name)
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                optimizer.step()
                schedule.step()
                total += value.detach() * len(chosen)
                bar.update()
            history.losses.append(_finite(total.item() / count, name, epoch))
            bar.set_postfix_str(f"loss {history.losses[-1]:.4g}")
            model.eval()
            if validation is not None:
                history.validation.append(
                    _mean_loss(model, validation, loss, batch_size, run, name)
                )
            if watch is not None:
                history.watched.append(watch(model))
        end = ""
    except KeyboardInterrupt:
        history.interrupted, end = True, "stopped by the reader after"
    finally:
        model.eval()
        optimizer.zero_grad(set_to_none=True)  # gradients are as large as the network
        history.seconds = time.perf_counter() - begin
        _close(bar, name, end, history.losses)
        runtime.give_freed_memory_back()
    return history


def progress(items: Sequence, name: str) -> Iterator:
    """Yields the items one by one behind the progress bar of `fit`.

    For experiments that write their own loop. The line that stays says how many items
    were done, and no time, so that two runs print the same. At smoke effort, which is
    for tests, a range of more than twenty numbers counts as the steps of a training and
    ends after three; other items are all done, because later cells look for them.

    Args:
        items: a range, list or other sequence.
        name: stands before the bar.
    """
    is_training = isinstance(items, range) and len(items) > MANY_STEPS
    if is_training and runtime.current().effort == "smoke":
        items = items[:3]
    bar, done = _progress_bar(name, len(items)), 0
    try:
        for item in items:
            yield item
            done += 1
            bar.update()
    finally:
        bar.bar_format = "{desc}"
        bar.set_description_str(f"{name}: {done} of {len(items)} done")
        bar.close()


class InFitPrecision(nn.Module):
    """A network that computes in the precision of `fit`, and answers in float32.

    For games and other loops that are written out, so that they are as fast as `fit`.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor):
        return _forward(self.network, inputs, runtime.current())


def moving_mean(values: Tensor, count: int) -> Tensor:
    """Means of `count` neighbours each along the first dimension.

    Args:
        values: (n,) or (n, k).
        count: how many values make one mean; if there are fewer, all of them do.

    Returns:
        (n - count + 1,) or (n - count + 1, k); of fewer
        than `count` values one mean, and of none none.

    Raises:
        ValueError: `count` is not at least 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}.")
    if len(values) == 0:
        return values
    return values.unfold(0, min(count, len(values)), 1).mean(dim=-1)


@torch.no_grad()
def predict(function: Callable[[Tensor], Tensor], inputs: Tensor, batch_size=1000):
    """Applies a network to many inputs, part by part, so that memory stays small.

    Args:
        function: from (b, ...) to (b, ...). A network, or a method of one, gets its
            inputs on its own device, bytes as in `fit`, and works in evaluation mode;
            afterwards it is in the mode that it had. A plain function gets its inputs
            as they are, on the CPU.
        inputs: tensor (n, ...).

    Returns:
        The outputs (n, ...), float32, on the CPU.

    Raises:
        ValueError: parts of the network lie on several devices, or a plain function
            fails that calls a network on another device than the inputs.
    """
    model = getattr(function, "__self__", function)
    if not isinstance(model, nn.Module):
        try:
            return _by_parts(function, inputs, batch_size)
        except RuntimeError as error:
            if elsewhere := _networks_elsewhere(function, inputs.device):
                raise ValueError(
                    f"the function gets its inputs on {inputs.device}, and it calls "
                    f"{elsewhere}. Give `predict` the network itself, which then gets "
                    "its inputs where it lies, or move them first: x.to(run.device)."
                ) from error
            raise
    devices = _devices(model)
    if len(devices) > 1:
        raise ValueError(
            f"parts of the network lie on {' and '.join(map(str, devices))}: `fit` "
            "moves what it trains, and a loop of your own does not. "
            "model.to(run.device) brings all parts together."
        )
    device = devices[0] if devices else "cpu"
    training = [part for part in model.modules() if part.training]
    model.eval()
    try:
        return _by_parts(
            lambda part: function(_as_floats(part.to(device))), inputs, batch_size
        )
    finally:
        for part in training:
            part.training = True


def _devices(model: nn.Module) -> list[torch.device]:
    """The devices of a network's parameters and buffers, each once, in their order."""
    tensors = [*model.parameters(), *model.buffers()]
    return list(dict.fromkeys(tensor.device for tensor in tensors))


def _networks_elsewhere(function: Callable, device: torch.device) -> str:
    """The networks on other devices that a function calls by name, in words."""
    try:
        seen = inspect.getclosurevars(function)
    except TypeError:  # no function of Python
        return ""
    networks = {**seen.globals, **seen.nonlocals}.items()
    return " and ".join(
        f"{name} on {other}"
        for name, network in networks
        if isinstance(network, nn.Module)
        for other in _devices(network)
        if other != device
    )


def random_shift(images: Tensor, pixels: int = 1, share: float = 1.0) -> Tensor:
    """Moves each image by up to `pixels` in both directions; the new edge is black.

    Args:
        images: tensor (n, 1, h, w).
        share: how many of the images may move; the others, drawn at random, stay.

    Returns:
        A tensor of the same shape. Nine positions are equally likely for one pixel.

    Raises:
        ValueError: the images do not have this shape.
    """
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"images must be (n, 1, h, w), not {tuple(images.shape)}.")
    n, _, h, w = images.shape
    padded = nn.functional.pad(images, [pixels] * 4).flatten(1)
    offsets = torch.randint(2 * pixels + 1, (2, n, 1, 1), device=images.device)
    if share < 1:
        stays = torch.rand(n, 1, 1, device=images.device) >= share
        offsets = offsets.masked_fill(stays, pixels)
    rows = offsets[0] + torch.arange(h, device=images.device)[:, None]
    columns = offsets[1] + torch.arange(w, device=images.device)
    index = rows * (w + 2 * pixels) + columns
    return padded.gather(1, index.flatten(1)).view(n, 1, h, w)


def _by_parts(function, inputs: Tensor, size: int) -> Tensor:
    outputs = None
    for start in range(0, max(1, len(inputs)), size):
        part = function(inputs[start : start + size]).float().cpu()
        if outputs is None:  # one tensor for all, rather than parts and their copy
            outputs = part.new_empty(len(inputs), *part.shape[1:])
        outputs[start : start + len(part)] = part
    return outputs


@torch.no_grad()
def _mean_loss(model, tensors, loss, batch_size, run, name) -> float:
    count = len(tensors[0])
    if run.effort == "smoke":
        count = min(count, batch_size)
    total = 0.0
    cards = [run.device] if run.device.type == "cuda" else []
    with torch.random.fork_rng(cards):  # draws in the loss do not change the training
        for start in range(0, count, batch_size):
            batch = tuple(
                _as_floats(
                    tensor[start : min(start + batch_size, count)].to(run.device)
                )
                for tensor in tensors
            )
            value = _scalar(loss(_forward(model, batch[0], run), *batch), name)
            total += value.item() * len(batch[0])
    return total / count


def _as_floats(tensor: Tensor) -> Tensor:
    """Images of bytes as numbers from 0 to 1; any other tensor as it is."""
    is_image = tensor.dtype == torch.uint8 and tensor.ndim > 1
    return tensor.float() / 255 if is_image else tensor


def _scalar(value, name: str) -> Tensor:
    """The loss of a batch; raises ValueError when it is not one number."""
    if isinstance(value, Tensor) and value.ndim == 0:
        return value
    what = type(value).__name__
    if isinstance(value, Tensor):
        what = f"tensor of shape {tuple(value.shape)}"
    raise ValueError(
        f"{name}: the loss must be one number for the whole batch, as a tensor, not a "
        f"{what}. Usually .mean() is missing at its end."
    )


def _forward(model: nn.Module, inputs: Tensor, run: runtime.Run):
    if run.precision == torch.float32:
        return model(inputs)
    with torch.autocast(run.device.type, run.precision):
        output = model(inputs)
    return _to_float32(output)


def _to_float32(output):
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() else output
    if isinstance(output, dict):
        return {key: _to_float32(part) for key, part in output.items()}
    if isinstance(output, tuple | list):
        parts = [_to_float32(part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else tuple(parts)
    return output


def _as_tuple(batch) -> tuple[Tensor, ...]:
    return (batch,) if isinstance(batch, Tensor) else tuple(batch)


def _common_length(tensors: tuple[Tensor, ...]) -> int:
    if not all(isinstance(tensor, Tensor) and tensor.ndim for tensor in tensors):
        raise ValueError(
            "data must be a tensor (n, ...) or a tuple of such tensors; "
            "torch.as_tensor makes one from an array or a list."
        )
    lengths = {len(tensor) for tensor in tensors}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(
            "data needs tensors with the same number of rows, at least one; "
            f"they have {[len(tensor) for tensor in tensors]}."
        )
    return lengths.pop()


def _finite(loss: float, name: str, epoch: int) -> float:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"{name}: the loss is {loss} in epoch {epoch + 1}. A lower learning rate, "
            "or inputs in the expected range, usually helps."
        )
    return loss


def _progress_bar(name: str, steps: int) -> tqdm:
    # Standard output, because a notebook shows standard error as if it were a problem.
    # tqdm puts a comma before the postfix itself.
    layout = "{desc}: {percentage:3.0f} %|{bar:24}| {remaining} left{postfix}"
    return tqdm(
        total=steps, desc=name, bar_format=layout, file=sys.stdout, mininterval=0.5
    )


def _close(bar: tqdm, name: str, end: str, losses: list[float]) -> None:
    # The last line holds no time, so that two runs print the same.
    epochs = "1 epoch" if len(losses) == 1 else f"{len(losses)} epochs"
    loss = f", loss {losses[-1]:.4g}" if losses else ""
    bar.bar_format = "{desc}"
    bar.set_description_str(f"{name}: {end} {epochs}{loss}".replace("  ", " "))
    bar.close()
