"""The asymptotic calculator where fits have several minima: limits are those of fresh fits."""

from __future__ import annotations

import warnings

import numpy as np

from na64.limits.calculators.asymptotic import Engine
from na64.limits.calculators.registry import Asymptotic
from na64.limits.likelihood.compiled import compile_workspace
from scripts.benchmarks.hostile_generator import make_workspace

ALPHA = 0.1


def test_every_limit_is_where_fresh_fits_give_alpha() -> None:
    # one bin; a search whose fits begin where the last one ended stays in a minimum that is not the
    # lowest, and its +1 sigma limit is a quarter of the events, at CLs = 0.25
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rates on the way of a minimiser
        likelihood = compile_workspace(make_workspace(97, seed=2), validate=False)
        engine = Engine(Asymptotic(), likelihood.batch(), likelihood.observed)
        edges = engine.limits(ALPHA, observed=True, expected=True)
        roots = np.array([found.x[0] for found in edges.upper if found is not None])
        assert roots.shape == (6,)
        first = np.zeros(6, dtype=np.intp)
        observed, bands = engine.p_values(np.exp(roots), first, expected=True)
    cls = np.concatenate([observed[:1], np.diagonal(bands[:, 1:])])
    np.testing.assert_allclose(cls, ALPHA, rtol=1e-3)
