"""Sphinx's configuration: `python -m sphinx -W --keep-going -n -b html docs docs/_build`, without a network."""

import re
import sys
from pathlib import Path

import fastmlp

sys.path.insert(0, str(Path(__file__).parent))  # for _gallery

project = "fastmlp"
copyright = "the fastmlp developers"
version = release = fastmlp.__version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser", "_gallery"]
exclude_patterns = ["_build"]
smartquotes = False
default_role = "literal"  # what docstrings have in single backticks: arguments, methods, names of this library

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # numpydoc's sections say it
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"fastmlp {release}"
html_static_path = []
html_scaled_image_link = False  # the gallery has links of its own
html_copy_source = False
pygments_style = "default"


def plain_text(app, what, name, obj, options, lines):
    """In docstrings |w| is an absolute value and classes_ an attribute: no marks of reStructuredText."""
    for number, line in enumerate(lines):
        if line.startswith(".. rubric:: Examples"):
            break
        parts = line.split("``")
        parts[::2] = [re.sub(r"\||(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
        lines[number] = "``".join(parts)


def setup(app):
    """Sphinx's entry point: after numpydoc, whose handler has the usual priority of 500."""
    app.connect("autodoc-process-docstring", plain_text, priority=600)
