r"""
Z' of L_mu - L_tau: g, with the band of the muon's g-2
======================================================

The limit on the coupling of a Z' of L_mu - L_tau that decays to neutrinos, from 1.98e10 muons
and, by its mixing with the photon, from 9.37e11 electrons.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("l-mu-l-tau", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure l-mu-l-tau --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("l-mu-l-tau"))
