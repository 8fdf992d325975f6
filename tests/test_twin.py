"""Our own entropy coder gives the same bits as constriction, and works without it."""

import os
import subprocess
import sys

import numpy as np
import pytest
from run_notebooks import ROOT

from helpers.compression import twin

RNG = np.random.default_rng(0)


def table(size):
    found = RNG.dirichlet(np.full(size, 0.3))
    return np.eye(size)[size // 2] if size % 5 == 0 else found  # one symbol alone, too


def test_a_queue_of_both_has_the_same_bits():
    stream = pytest.importorskip("constriction").stream
    for _ in range(100):
        coders = stream.queue.RangeEncoder(), twin.RangeEncoder()
        parts = [(table(k), RNG.integers(k, size=99)) for k in RNG.integers(2, 40, 4)]
        for probabilities, symbols in parts:
            for coder, library in zip(coders, (stream, twin), strict=True):
                model = library.model.Categorical(probabilities, perfect=False)
                coder.encode(symbols.astype(np.int32), model)
        words = coders[0].get_compressed()
        np.testing.assert_array_equal(coders[1].get_compressed(), words)
        cut = RNG.integers(2**32, size=len(words) // 9, dtype=np.uint32)
        for code in (words, cut):
            both = stream.queue.RangeDecoder(code), twin.RangeDecoder(code)
            np.testing.assert_equal(*(list(read(d, parts)) for d in both))


def read(decoder, parts):
    """What a decoder finds until it gives up, and whether it is through."""
    library = (
        twin
        if isinstance(decoder, twin.RangeDecoder)
        else sys.modules["constriction"].stream
    )
    try:
        for probabilities, symbols in parts:
            model = library.model.Categorical(probabilities, perfect=False)
            yield decoder.decode(model, len(symbols))
    except AssertionError:
        return
    yield decoder.maybe_exhausted()


def pushes():
    """A model's name and arguments, its parameters, and symbols that are likely."""
    n = int(RNG.integers(1, 60))
    chances = 0.001 + 0.998 * RNG.random(n) ** 3
    yield "Bernoulli", {}, [chances], RNG.random(n) < chances
    shares = RNG.dirichlet(np.ones(16), n).astype(np.float32) + np.float32(1e-6)
    yield "Categorical", {}, [shares], RNG.integers(16, size=n)
    means, spreads = RNG.normal(0, 30, n), RNG.uniform(0.01, 20, n)
    cells = RNG.normal(means, spreads).round().clip(-96, 96)
    yield "QuantizedGaussian", (-96, 96), [means, spreads], cells


def test_a_stack_of_both_has_the_same_bits():
    stream = pytest.importorskip("constriction").stream
    for _ in range(100):
        words = RNG.integers(1, 2**32, size=RNG.integers(5), dtype=np.uint32)
        coders = stream.stack.AnsCoder(words, seal=True), twin.AnsCoder(words, True)
        for name, arguments, parameters, symbols in [*pushes()] * 2:
            models = [
                getattr(library.model, name)(*arguments)
                if arguments
                else getattr(library.model, name)(perfect=False)
                for library in (stream, twin)
            ]
            pairs = [*zip(coders, models, strict=True)]
            if RNG.random() < 0.4:
                found = [coder.decode(model, *parameters) for coder, model in pairs]
                np.testing.assert_array_equal(*found)
            else:
                for coder, model in pairs:
                    coder.encode_reverse(symbols.astype(np.int32), model, *parameters)
            np.testing.assert_array_equal(*(c.get_compressed() for c in coders))
        again = stream.stack.AnsCoder(words), twin.AnsCoder(words)
        np.testing.assert_array_equal(*(c.get_compressed() for c in again))


def test_symbols_outside_their_tables():
    coder, row = twin.AnsCoder(), np.ones((1, 4), np.float32)
    with pytest.raises(ValueError, match="-1 is outside"):
        coder.encode_reverse(np.array([-1]), twin.Categorical(), row)
    with pytest.raises(IndexError):
        coder.encode_reverse(np.array([4]), twin.Categorical(), row)
    with pytest.raises(ValueError, match="not 0"):
        twin.AnsCoder([1, 0])


def test_without_the_library_the_twin_is_taken(tmp_path):
    (tmp_path / "constriction.py").write_text("raise ImportError", encoding="utf-8")
    code = (
        "from helpers.compression import entropy, twin; print(entropy.stream is twin)"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
    )
    assert done.stdout.split() == [b"True"], done.stderr
