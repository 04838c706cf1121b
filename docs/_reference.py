"""A Sphinx extension for docs/api: tables of one line for each name, and members of a class in groups.

`.. summaries:: PAGE` lists what docs/api/PAGE.md documents; `.. members:: Class` lists the members that follow, and
documents each.
"""

import importlib
import re
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

import fastmlp

PAGES = Path(__file__).parent / "api"


def setup(app):
    """Sphinx's entry point."""
    app.setup_extension("sphinx.ext.autosummary")
    app.add_directive("summaries", Summaries)
    app.add_directive("members", Members)
    return {"parallel_read_safe": True}


class Summaries(SphinxDirective):
    """What a page of the reference documents: a line for each class and function."""

    required_arguments = 1

    def run(self):
        """The table, as docutils' nodes."""
        page = PAGES / f"{self.arguments[0]}.md"
        self.env.note_dependency(str(page))
        return self.parse_text_to_nodes(table(documented(page.read_text(encoding="utf-8"))))


class Members(SphinxDirective):
    """Members of a class of `fastmlp` that belong together: a line for each, then each."""

    required_arguments = 1
    has_content = True

    def run(self):
        """The table and the entries, as docutils' nodes."""
        owner, names = self.arguments[0], [line.strip() for line in self.content if line.strip()]
        kinds = ("method" if callable(getattr(getattr(fastmlp, owner), name)) else "attribute" for name in names)
        entries = [f".. auto{kind}:: {owner}.{name}\n" for kind, name in zip(kinds, names, strict=True)]
        return self.parse_text_to_nodes("\n".join([table(f"{owner}.{name}" for name in names), *entries]))


def table(names):
    """Of names and the first sentence of what stands there."""
    return "\n".join([".. autosummary::", "   :nosignatures:", "", *(f"   ~{name}" for name in names), "", ""])


def documented(text):
    """Full names of what a page's directives document, in its order."""
    module = "fastmlp"
    for directive, name in re.findall(r"^\.\. (currentmodule|auto\w+):: ([\w.]+)$", text, re.M):
        if directive == "currentmodule":
            module = name
        elif directive == "automodule":
            yield from (f"{name}.{each}" for each in getattr(importlib.import_module(name), "__all__", ()))
        else:
            yield name if name.startswith("fastmlp.") else f"{module}.{name}"
