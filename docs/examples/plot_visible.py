r"""
Visible dark photon: epsilon, NA64e 2017-2018 and other experiments
===================================================================

A dark photon without dark matter to decay to: the region that NA64e excludes with 8.4e10
electrons on a dump beside the published one, searches for long-lived particles behind other
dumps, and for bumps in pairs.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("visible", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure visible --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("visible"))
