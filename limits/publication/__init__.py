"""What is published of results: records of HEPData with tables, figures and likelihoods."""

from typing import Final

#: background workspace and patchset; here, for the help of commands must not load the numerics
LIKELIHOOD_FILES: Final = ("background-only.json", "patchset.json")
