"""A Sphinx extension that writes formulas as MathML, which browsers draw by themselves: no script, no font, no network.

docutils translates the TeX. What it does not know ends the build.
"""

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml


def setup(app):
    """Sphinx's entry point; `html_math_renderer` of conf.py chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(writer, node):
    """A formula within a line."""
    writer.body.append(tex2mathml(node.astext()))
    raise SkipNode


def display(writer, node):
    """A formula by itself; a long one scrolls."""
    writer.body.append(f'<div class="formula">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise SkipNode
