r"""
NA64mu: epsilon, 2022 and the projections for 3.5e11 and 2e13 muons
===================================================================

Invisible decays of a boson that 160 GeV muons emit: the limit of 2022 beside the published one;
medians for 2023-2024 and after LS3 with NA64's own projections for 3e11 and 2e13 muons.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("na64mu", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure na64mu --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("na64mu"))
