"""test_hard_conditions.py runs this notebook: all that the series does, in seconds."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

# Whoever runs the cells puts this into the file `expected.toml` of their folder.
EXPECTED = """\
[small_error]
says = "squared error of 30 numbers after four short epochs"
at_most = 35
"""
CELLS = [
    """\
import numpy as np
import torch
from torch import nn

from helpers import runtime
from helpers.checks import claim, exercise
from helpers.compression.entropy import decode_symbols, encode_symbols
from helpers.datasets import mnist
from helpers.figures import image_grid, show
from helpers.training import fit, predict
from helpers.widgets import explore

run = runtime.start("00_small", seed=0)
print(run.precision)""",
    """\
train, test = mnist().train[:4000].clone(), mnist().test[:1000].clone()
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 30), nn.Linear(30, 784))""",
    """\
history = fit(
    model,
    train,
    lambda output, images: (output - images.flatten(1)).square().sum(1).mean(),
    epochs=4,
    lr=1e-2,
)""",
    """\
error = (predict(model, test) - test.flatten(1)).square().sum(1).mean()
claim("small_error", error)""",
    """\
drawn = predict(model, test[:10]).clamp(0, 1).view(-1, 28, 28)
show(image_grid(drawn), "Ten digits, each drawn by the network from 30 numbers.")""",
    """\
explore(
    lambda bright: test[0, 0].numpy() * bright,
    alt="The first test digit at half of its brightness, which the slider changes.",
    twin=[dict(bright=0.5)],
    bright=(0.0, 1.0, 0.1, 0.5),
)""",
    """\
symbols = np.array([[0], [1], [1], [0]], dtype=np.int32)
book = [np.array([0.5, 0.5])]
payload = encode_symbols(symbols, book)
assert (decode_symbols(payload, book, 4) == symbols).all()""",
    """\
def double(x):
    return ...


check_1 = exercise("1", lambda: double(2), expected=4, mistakes={2: "a", 8: "b"})""",
]


def build() -> NotebookNode:
    """The notebook without outputs: a new copy at each call."""
    return new_notebook(cells=[new_code_cell(source) for source in CELLS])
