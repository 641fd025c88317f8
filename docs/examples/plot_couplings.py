r"""
Vector, axial, scalar and pseudoscalar bosons: g, with the bands of the electron's g-2
======================================================================================

The limit on the coupling of an invisible boson of each kind to electrons, and the couplings at
which it explains the difference between the measured and the predicted anomalous moment of the
electron, whose sign depends on whether alpha comes from caesium or rubidium; a kind that shifts
the moment the other way has no band.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("couplings", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure couplings --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("couplings"))
