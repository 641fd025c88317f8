r"""
Invisible dark photon: emission alone, and with resonant annihilation, NA64e 2016-2018
======================================================================================

The limit from 2.84e11 electrons with and without the annihilation of the shower's positrons on
atomic electrons, beside the two published limits of the same data. The first of them was made
with other cross-sections of emission.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("emission-and-annihilation", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure emission-and-annihilation --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("emission-and-annihilation"))
