r"""
Invisible decays of eta and eta': branching ratios
==================================================

Pions of 50 GeV exchange their charge in the calorimeter, and the eta or eta' that is made
vanishes: the limits on its invisible branching ratio from 2.9e9 pions beside the published ones
and those of BESIII, and the median for 4e10 pions.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("mesons", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure mesons --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("mesons"))
