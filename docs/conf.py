"""Settings of the documentation site, built by scripts/docs: offline, warnings are errors."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "_extensions"))

_project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = _project["name"]
author = _project["authors"][0]["name"]
copyright = author  # of no year: the same source gives the same pages
release = version = _project["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "api_pages",
    "docstrings",
    "mathml",
    "offline",
]
# figures and tables of tests and scripts are no pages; nor is what makes the gallery
exclude_patterns = ["_extensions", "_templates", "examples", "auto_examples/*.ipynb"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
language = "en"
smartquotes = False  # a prime is no apostrophe
nitpicky = False
# words in quotes in docstrings of Python itself, of `str` below a constant, are no references
suppress_warnings = ["ref.python"]
# no inventories of other projects: nothing is fetched

# -- pages in Markdown: the dialect of code hosts, where they are read as well
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_dmath_double_inline = False

# -- reference of the API
default_role = "code"
autosummary_generate = False  # pages are made by api_pages
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say unit, shape and range of each
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_rtype = False
# fields of dataclasses as a list: targets of their own would be found under any name like theirs
napoleon_custom_sections = [("Attributes", "params_style")]
add_module_names = False

# -- look; everything it needs lies beside the pages
html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "tango"
pygments_dark_style = "monokai"

# -- gallery: scripts that run when the site is built
sphinx_gallery_conf = {
    "examples_dirs": ["examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,  # an archive would hold times
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "remove_config_comments": True,
    "image_scrapers": ("gallery_figures",),
    "capture_repr": (),
    "parallel": 2,
    "matplotlib_animations": False,
    "show_memory": False,
    "show_signature": False,
}
