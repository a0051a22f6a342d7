import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hsmtss_jax.sampling.beam import beam_search

VOCAB, END = 4, 3


def markov(seed):
    """log p(next | the two last), VOCAB standing for what is before the start."""
    table = np.random.default_rng(seed).normal(size=(VOCAB + 1, VOCAB + 1, VOCAB)) * 2
    return jnp.asarray(jax.nn.log_softmax(table, axis=-1), jnp.float32)


def log_probability(table, text):
    padded = (VOCAB, VOCAB, *text)
    return sum(float(table[part]) for part in zip(padded, padded[1:], padded[2:], strict=False))


def search(tables, *, beams, tokens, power):
    """A sequence a table. The last token but one is in the cache alone: it must move with its beam."""
    stack = jnp.stack(tables)
    batch = len(tables)

    def step(previous, cache):
        which, before = cache
        return stack[which, before, previous], (which, previous)

    def reorder(cache, rows):
        return cache[0][rows], cache[1][rows]

    which = jnp.repeat(jnp.arange(batch), beams)
    cache = (which, jnp.full(batch * beams, VOCAB, jnp.int32))
    run = jax.jit(
        lambda cache, logits: beam_search(
            step,
            cache,
            logits,
            beams=beams,
            tokens=tokens,
            end=END,
            reorder=reorder,
            length_power=power,
        )
    )
    return run(cache, stack[:, VOCAB, VOCAB])


def everything(table, tokens, power):
    """(score, tokens) of every sequence that ends, or reaches the limit, best first."""
    table, found = np.asarray(table, np.float64), {}
    for text in itertools.product(range(VOCAB), repeat=tokens):
        length = text.index(END) + 1 if END in text else tokens
        kept = text[:length] + (END,) * (tokens - length)
        found[kept] = log_probability(table, text[:length]) / length**power
    return sorted(((score, kept) for kept, score in found.items()), reverse=True)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all(power):
    """With as many beams as there are prefixes nothing is pruned: the result is exhaustive search's."""
    tables = [markov(0), markov(1)]
    result = search(tables, beams=4, tokens=2, power=power)
    for row, table in enumerate(tables):
        best = everything(table, 2, power)
        assert tuple(np.asarray(result.tokens[row, 0])) == best[0][1]
        np.testing.assert_allclose(result.scores[row, 0], best[0][0], rtol=1e-5)
        assert np.all(np.diff(np.asarray(result.scores[row])) <= 0)


def test_one_beam_is_greedy():
    table = markov(2)
    result = search([table], beams=1, tokens=5, power=1.0)
    text = [VOCAB, VOCAB]
    for _ in range(5):
        text.append(END if text[-1] == END else int(np.argmax(table[text[-2], text[-1]])))
    assert np.asarray(result.tokens[0, 0]).tolist() == text[2:]


def test_the_score_is_that_of_the_tokens():
    """Reordering keeps a beam's history with it: scores follow from the tokens alone."""
    table = markov(3)
    result = search([table], beams=3, tokens=6, power=1.0)
    for tokens, score in zip(np.asarray(result.tokens[0]), result.scores[0], strict=True):
        text = tokens.tolist()
        length = text.index(END) + 1 if END in text else 6
        total = log_probability(table, text[:length])
        np.testing.assert_allclose(score, total / length, rtol=1e-5)
        assert set(text[length:]) <= {END}
