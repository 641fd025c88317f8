r"""
After LS3: y of electrons, positrons, muons and their combination
=================================================================

Medians for 1e13 electrons, 1e11 positrons each of 40 and 60 GeV, 2e13 muons, and one likelihood
of all four, with the uncertainties of exposure and efficiency shared between electrons and
positrons. Broken lines are the projections of NA64 itself.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("projections", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure projections --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("projections"))
