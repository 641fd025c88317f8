"""
Invisible decays of the K_S
===========================

Charge exchange of 1e11 negative kaons of 50 GeV, a projection with assumed efficiency and no
background, beside the limit of BESIII.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("kaons", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn. `na64-limits figure kaons --show` prints it;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("kaons"))
