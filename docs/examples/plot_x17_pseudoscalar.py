r"""
X17, pseudoscalar: g, NA64e 2017-2018 and the projection for 1e12 electrons
===========================================================================

The same for a pseudoscalar, whose coupling is g here. At 16.7 MeV NA64 excludes g/e from 2.1e-4
to 3.2e-4 (arXiv:2104.13342), that is g from 6.4e-5 to 9.7e-5; nothing is calibrated to it.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("x17-pseudoscalar", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure x17-pseudoscalar --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("x17-pseudoscalar"))
