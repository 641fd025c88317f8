r"""
Light dark matter: alpha_D of thermal relics
============================================

The dark coupling up to which thermal dark matter is excluded, of three kinds; between the thick
and the thin line. On the resonance limits are scanned at 15 values of alpha_D.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("alpha-d", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure alpha-d --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("alpha-d"))
