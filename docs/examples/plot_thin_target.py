r"""
Missing momentum: epsilon of LDMX at 4 and 8 GeV beside NA64e
=============================================================

Electrons through a tenth of a radiation length, one soft electron and nothing else: medians for
4e14 electrons of 4 GeV beside the collaboration's projection of 2018, and for 1e16 of 8 GeV;
NA64e 2016-2022 and after LS3 for comparison.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("thin-target", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure thin-target --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("thin-target"))
