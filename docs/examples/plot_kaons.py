r"""
Invisible decays of the K_S and the K_L: branching ratios
=========================================================

Charge exchange of 1e11 negative kaons of 50 GeV, a projection with assumed efficiency and no
background, beside the limit of BESIII on the K_S. The K0 that is made is either with
probability 1/2; a K_L mostly interacts before it decays, 2.2e-4 in place of 0.111, and its
limit is weaker by as much.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("kaons", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure kaons --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("kaons"))
