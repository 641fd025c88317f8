r"""
Light dark matter: y with thermal targets, alpha_D = 0.1
========================================================

The limit of NA64e 2016-2022 in the plane of thermal dark matter, with the couplings at which a
complex scalar, a Majorana fermion and a pseudo-Dirac pair have their observed abundance. On the
resonance, at 0.075 GeV, the limit is that for Dirac dark matter. Limits of others on the
mediator are converted with the dark sector of the figure.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("y", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure y --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("y"))
