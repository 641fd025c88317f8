r"""
Spin-2 boson: c/Lambda, NA64e 2016-2022
=======================================

A boson that couples alike to the stress tensors of photons and charged leptons, made by every
photon of the shower off nuclei. There is no published limit of NA64 to stand beside it.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("spin-2", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure spin-2 --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("spin-2"))
