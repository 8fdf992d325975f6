"""What is packed comes out again, and no damaged file gives anything else."""

import dataclasses
import math
from statistics import NormalDist

import numpy as np
import pytest
import torch

from helpers.compression import entropy, files, twin
from helpers.compression.entropy import (
    Stack,
    SymbolTables,
    decode_symbols,
    encode_symbols,
)
from helpers.compression.files import MOST, Ledger, read_file, write_file

# The entropy coder


@pytest.fixture(autouse=True, params=["constriction", "twin"])
def coder(request, monkeypatch):
    """Each test here with the library, where it is installed, and with our own."""
    if request.param == "constriction":
        pytest.importorskip("constriction")
    else:
        monkeypatch.setattr(entropy, "stream", twin)


def draw(count, dims, levels, seed=0):
    rng = np.random.default_rng(seed)
    tables = rng.dirichlet(np.full(levels, 0.5), size=dims)
    columns = [rng.choice(levels, count, p=table) for table in tables]
    return np.stack(columns, axis=1).astype(np.int32), tables


@pytest.mark.parametrize(
    ("count", "dims", "levels"), [(10_000, 64, 15), (3000, 5, 256), (50_000, 1, 2)]
)
def test_symbols_cost_what_theory_says(count, dims, levels):
    symbols, tables = draw(count, dims, levels)
    payload = encode_symbols(symbols, tables)
    bits = -np.log2(np.take_along_axis(tables.T, symbols, axis=0)).sum()
    assert bits / 8 - 1 <= len(payload) <= 1.01 * bits / 8 + 8
    decoded = decode_symbols(payload, tables, count)
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(decoded, symbols)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17])
def test_any_count_round_trips(count):
    symbols, tables = draw(20, 6, 5)
    payload = encode_symbols(symbols[:count], tables)
    assert (payload == b"") == (count == 0)
    decoded = decode_symbols(payload, tables, count)
    np.testing.assert_array_equal(decoded, symbols[:count])


def test_tables_of_any_length_and_offset():
    rng = np.random.default_rng(0)
    tables = [np.array([1, 0, 5]), np.array([9]), np.ones(40, np.float32)]
    lowest = [-3, 7, 100]
    symbols = np.stack(
        [rng.integers(-3, 0, 500), np.full(500, 7), rng.integers(100, 140, 500)], 1
    )
    payload = encode_symbols(symbols, tables, lowest)
    decoded = decode_symbols(payload, tables, 500, lowest)
    np.testing.assert_array_equal(decoded, symbols)


def test_symbol_tables_pack_by_what_they_counted():
    normal = torch.distributions.Normal(0.0, 2.0)
    symbols = normal.sample((5000, 3)).round()
    tables = SymbolTables(symbols, reach=20)
    assert tables.counts.shape == (3, 41) and tables.counts.min() == 1
    np.testing.assert_allclose(tables.chances.sum(1), 1)
    payload = tables.pack(symbols)
    torch.testing.assert_close(tables.unpack(payload, 5000), symbols, rtol=0, atol=0)
    bits = tables.bits(symbols)
    assert bits.shape == (5000, 3)
    assert bits[0, 1] == -np.log2(tables.chances[1, 20 + int(symbols[0, 1])])
    assert bits.sum() / 8 <= len(payload) <= 1.001 * bits.sum() / 8 + 8


def test_symbols_beyond_the_reach_move_to_the_edge():
    tables = SymbolTables(np.array([[0], [-99], [99]]), reach=2)
    assert tables.counts.tolist() == [[2, 1, 2, 1, 2]]
    assert tables.unpack(tables.pack(torch.tensor([[50.0]])), 1).tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        (torch.tensor([[0.5]]), "whole numbers"),
        (torch.tensor([[float("nan")]]), "whole numbers"),
        (torch.zeros(3), r"\(n, k\)"),
    ],
)
def test_symbol_tables_refuse(symbols, words):
    with pytest.raises(ValueError, match=words):
        SymbolTables(symbols)


def test_a_table_of_one_symbol_costs_nothing():
    assert encode_symbols(np.zeros((99, 2), int), [[1.0], [3]]) == b""


def test_symbols_outside_their_table():
    _, tables = draw(1, 3, 5)
    with pytest.raises(ValueError, match=r"symbol -2 of dimension 0 .* -1 to 3"):
        encode_symbols(np.array([[0, 1, 2], [-2, 2, 0]]), tables, -1)
    with pytest.raises(ValueError, match=r"symbol 5 of dimension 2 .* 0 to 4"):
        encode_symbols(np.array([[0, 1, 5]]), tables)


@pytest.mark.parametrize(
    "table",
    [
        [0.5, math.nan],
        [0.5, -0.1],
        [0.0, 0.0],
        [1.0, math.inf],
        [1e308, 1e308],
        [],
        [[0.5, 0.5]],
    ],
)
def test_bad_tables(table):
    with pytest.raises(ValueError, match="table 1"):
        encode_symbols(np.zeros((2, 2), int), [[1, 1], table])
    with pytest.raises(ValueError, match="table 1"):
        decode_symbols(b"", [[1, 1], table], 0)


def test_bad_symbols():
    tables = [[0.5, 0.5]] * 2
    with pytest.raises(TypeError, match="integers"):
        encode_symbols(np.zeros((3, 2)), tables)
    for shape in ((3,), (3, 1), (3, 2, 1)):
        with pytest.raises(ValueError, match="2 tables want"):
            encode_symbols(np.zeros(shape, int), tables)


def test_a_payload_that_does_not_fit():
    symbols, tables = draw(1000, 4, 7)
    payload = encode_symbols(symbols, tables)
    for wrong, count in ((payload[:-1], 1000), (payload, 500), (payload, -1)):
        with pytest.raises(ValueError, match="are not"):
            decode_symbols(wrong, tables, count)
    with pytest.raises(ValueError, match="are not"):
        decode_symbols(b"\xff" * 400, tables, 1000)


# A stack


def test_stack_pops_what_was_pushed_at_the_cost_that_theory_says():
    rng = np.random.default_rng(0)
    bottom = rng.integers(2**32, size=3, dtype=np.uint32)
    chances = rng.uniform(0.01, 0.99, 3000)
    shares = rng.uniform(0.01, 1, (3000, 16)).astype(np.float32)
    means, spreads = rng.normal(0, 20, 3000), rng.uniform(2, 10, 3000)
    coins, places = rng.random(3000) < chances, rng.integers(16, size=3000)
    cells = rng.normal(means, spreads).round().astype(int)
    stack = Stack(bottom)
    stack.push_coins(coins, chances)
    stack.push_places(places, shares)
    stack.push_cells(cells, means, spreads, 200)
    assert stack.bottom() is None
    payload = stack.to_bytes()
    received = Stack.from_bytes(payload)
    np.testing.assert_array_equal(received.pop_cells(means, spreads, 200), cells)
    np.testing.assert_array_equal(received.pop_places(shares), places)
    np.testing.assert_array_equal(received.pop_coins(chances), coins)
    np.testing.assert_array_equal(received.bottom(), bottom)
    curves = [NormalDist(*pair) for pair in zip(means, spreads, strict=True)]
    pairs = zip(curves, cells, strict=True)
    costs = (
        np.where(coins, chances, 1 - chances),
        shares[np.arange(3000), places] / shares.sum(1),
        [bell.cdf(cell + 0.5) - bell.cdf(cell - 0.5) for bell, cell in pairs],
    )
    bits = -np.log2(np.concatenate(costs)).sum()
    assert 8 * len(payload) - 3 * 32 == pytest.approx(bits, rel=0.005)


@pytest.mark.parametrize("payload", [b"", b"abc", b"abcde", b"abcd\0\0\0\0"])
def test_bytes_that_are_no_stack(payload):
    with pytest.raises(ValueError, match="are no stack"):
        Stack.from_bytes(payload)


# Files


def test_every_damage_to_a_file_is_noticed(tmp_path):
    path = tmp_path / "code"
    write_file(path, b"payload", count=3, dims=2)
    assert read_file(path) == (3, 2, b"payload")
    good = path.read_bytes()
    for end in range(len(good)):
        path.write_bytes(good[:end])
        with pytest.raises(ValueError, match="cut short"):
            read_file(path)
    for bit in range(8 * len(good)):
        altered = bytearray(good)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=r"altered|version|not a file of these"):
            read_file(path)
    for foreign in (b"\x89PNG" + good[4:], b"hello", good + b"!"):
        path.write_bytes(foreign)
        with pytest.raises(ValueError, match=r"not a file of these|altered"):
            read_file(path)


def test_an_empty_payload_and_impossible_counts(tmp_path):
    write_file(tmp_path / "none", b"", count=0, dims=0)
    assert read_file(tmp_path / "none") == (0, 0, b"")
    for count, dims in ((-1, 1), (MOST + 1, 1), (1, 2**16)):
        with pytest.raises(ValueError, match="does not fit"):
            write_file(tmp_path / "no", b"", count=count, dims=dims)
    assert not (tmp_path / "no").exists()


def test_a_forged_count_is_noticed(tmp_path):
    forged = dataclasses.replace(files._SYMBOLS, most=2**32).pack(b"", 2**32 - 1, 1)
    (tmp_path / "forged").write_bytes(forged)
    with pytest.raises(ValueError, match="nobody writes 4,294,967,295 images"):
        read_file(tmp_path / "forged")


# The ledger


def test_ledger():
    ledger = Ledger(images=1000)
    ledger.add("header", 20)
    ledger.add("payload", b"x" * 8600, "range coder")
    assert ledger.total == 8620 and ledger.per_image == 8.62
    assert str(ledger).splitlines() == [
        "               bytes  per image",
        "header            20       0.02",
        "payload        8,600       8.60  range coder",
        "total          8,620       8.62  1,000 images",
    ]


def test_ledger_refuses():
    with pytest.raises(ValueError, match="at least one image"):
        Ledger(images=0)
    for size in (-1, 2.5, None):
        with pytest.raises(ValueError, match="whole number of bytes"):
            Ledger(images=1).add("model", size)
