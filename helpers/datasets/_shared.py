"""The modules of `helpers.datasets` share these: their error and their tensor form."""

import numpy as np
import torch


class DatasetError(RuntimeError):
    """Files that a data set is made from are missing or damaged."""


def matplotlib_error(what: str, error: OSError) -> DatasetError:
    """Return the error for a file of matplotlib that cannot be read."""
    return DatasetError(
        f"The {what} cannot be read ({error}). It comes with matplotlib: reinstall it "
        "with `pip install --force-reinstall --no-deps matplotlib`."
    )


def check_count(name: str, value: int) -> int:
    """Return `value` as int; TypeError or ValueError unless it is 0, 1, 2, ..."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        kind = type(value).__name__
        raise TypeError(f"{name} must be a whole number such as 100, not {kind}.")
    if value < 0:
        raise ValueError(f"{name} is {value}; give 0 or a larger number.")
    return int(value)


def as_images(pixels: torch.Tensor) -> torch.Tensor:
    """Turn uint8 (n, 28, 28) into float32 (n, 1, 28, 28), 0..255 becoming 0..1."""
    return pixels.unsqueeze(1).to(torch.float32).div_(255)
