r"""
X17, vector: epsilon, NA64e 2017-2018 and the projection for 1e12 electrons
===========================================================================

Bosons that decay to e+ e- behind a dump: the region excluded with 8.4e10 electrons beside the
published one, the couplings that the anomaly of beryllium-8 asks for, and the set-up that is
meant to reach them. NA48/2 looked for decays of the neutral pion, which a protophobic boson is
not made in.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("x17-vector", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure x17-vector --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("x17-vector"))
