r"""
Light dark matter: y for several alpha_D
========================================

The same data for dark couplings of 0.02, 0.1 and 0.5: the limit on y rises with alpha_D, the
thermal target of a complex scalar does not.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("y-alpha-d", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure y-alpha-d --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("y-alpha-d"))
