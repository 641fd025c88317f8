r"""
Semi-visible dark photon: epsilon for two splittings
====================================================

Inelastic dark matter: the A' decays to a light and a heavy state, which decays in flight to the
light one and a pair. Missing energy and decays of 2.84e11 electrons together, for relative
splittings of 0.4, the benchmark of arXiv:2107.02021, and 0.2. The published region is not among
the shipped curves.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("semi-visible", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure semi-visible --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("semi-visible"))
