"""
Light dark matter: y with thermal targets
=========================================

The limit of NA64e 2016-2022 in the plane of thermal dark matter, with the couplings at which a
complex scalar, a Majorana fermion and a pseudo-Dirac pair have their observed abundance. Limits
of others are converted with the dark sector of the panel; those from the scattering of dark
matter hold for alpha_D = 0.5 alone. The published limit of NA64e is for alpha_D = 0.1.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("y", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn. `na64-limits figure y --show` prints it;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("y"))
