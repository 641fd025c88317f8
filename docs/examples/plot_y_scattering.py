r"""
Light dark matter: y beside searches for its scattering, alpha_D = 0.5
======================================================================

The same data for alpha_D = 0.5, for which experiments that look for dark matter scattering give
their limits: events of missing energy go with epsilon^2, those of scattering with epsilon^4
alpha_D, so that a large alpha_D favours the latter.
"""

from na64.limits import programme_figure
from na64.workspaces import TableCache

figure = programme_figure("y-scattering", tables=TableCache())
figure

# %%
# The file that says what is scanned and drawn, as printed by
# `na64-limits figure y-scattering --show`;
# `programme_figure` takes a changed copy by its path.

from na64.limits.programme.reader import figure_text

print(figure_text("y-scattering"))
