r"""
Z' of B-L: g
============

The limit on the coupling of a Z' of B-L that decays to neutrinos: the data to 2021 with the
heavy neutrinos of the publication, emission alone as there, and the data to 2022 with three
light Dirac neutrinos and resonant annihilation. Below the masses of the other curves neutrinos
scatter off electrons; that of BaBar is converted from the dark photon by couplings and
branching ratios.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("b-minus-l", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure b-minus-l --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("b-minus-l"))
