r"""
Invisible dark photon: epsilon, NA64e 2016-2022 and other experiments
=====================================================================

The limit on kinetic mixing from 9.37e11 electrons with its expected bands, the published one,
and what others exclude whatever the mediator decays to, as long as it is not seen. Above 0.2
GeV the resonance of secondary positrons, for Dirac dark matter and alpha_D = 0.1.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("epsilon", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure epsilon --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("epsilon"))
