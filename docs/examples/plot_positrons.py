r"""
Positron beams: epsilon on the resonance of e+ e-
=================================================

A positron of the beam annihilates itself, so that a resonance of the mediator shows up between
sqrt(2 m_e E_miss) and sqrt(2 m_e E): 100 GeV positrons of 2022 beside the published limit, 70
GeV of 2023, and the programme of 60 and 40 GeV after LS3.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("positrons", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure positrons --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("positrons"))
