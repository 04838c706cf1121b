"""Sphinx's configuration: `python -m sphinx -W --keep-going -n -b html docs docs/_build`, without a network."""

import re
import sys
from pathlib import Path

from docutils.nodes import Text, literal_block, thead

import fastmlp

sys.path.insert(0, str(Path(__file__).parent))  # for the extensions in this folder

project = "fastmlp"
copyright = "the fastmlp developers"
version = release = fastmlp.__version__

extensions = [
    "sphinx.ext.autodoc", "numpydoc", "myst_parser", "sphinx_design", "sphinx_copybutton",
    "_gallery", "_mathml", "_reference",
]  # fmt: skip
exclude_patterns = ["_build"]
smartquotes = False
default_role = "literal"  # what docstrings have in single backticks: arguments, methods, names of this library

myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # numpydoc's sections say it
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
html_math_renderer = "mathml"

html_theme = "furo"
html_title = f"fastmlp {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "static/icon.svg"
html_search_scorer = str(Path(__file__).with_name("_scorer.js"))
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


def tidy(app, doctree):
    """Drop what Markdown needs and a page does not: empty lines that end examples, heads of tables without headings."""
    for block in doctree.findall(literal_block):
        text = block.astext().rstrip("\n")
        block.rawsource, block[:] = text, [Text(text)]
    for head in list(doctree.findall(thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def setup(app):
    """Sphinx's entry point: after numpydoc, whose handler has the usual priority of 500."""
    app.connect("autodoc-process-docstring", plain_text, priority=600)
    app.connect("doctree-read", tidy)
