r"""
Invisible dark photon: epsilon by data set, 2016 to 2024
========================================================

How the limit on kinetic mixing fell with the electrons on target: 4.3e10 in 2016, 2.84e11 to
2018, 9.37e11 to 2022; the median for 1.9e12 to 2024, which are not published, computed with
asymptotic formulae, with an assumed background and a missing energy above 40 GeV from 2023 on.
Broken lines are the published limits; that of 2016 is of emission alone, and so is ours.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("data-sets", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure data-sets --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("data-sets"))
