r"""
Axion-like particles: g_agg, and the projection for 5e12 electrons
==================================================================

The region that NA64e excludes of the coupling to photons, decays in flight and missing energy
together, beside the published one and those of beam dumps, colliders and the supernova of 1987;
and the same detector with 5e12 electrons.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("alp", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure alp --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("alp"))
