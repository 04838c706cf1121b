"""A Sphinx extension that runs examples/ and makes a page of each program: its picture, its docstring, its source.

Programs that are older than their picture are not run again.
"""

import ast
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAMS = Path(__file__).parent.parent / "examples"
PAGES = Path(__file__).parent / "gallery"


def setup(app):
    """Sphinx's entry point."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True}


def make(app):
    """All pages and the one that lists them, in the order of examples/README.md."""
    PAGES.mkdir(exist_ok=True)
    names = re.findall(r"^\| `(\w+)\.py`", (PROGRAMS / "README.md").read_text(encoding="utf-8"), re.M)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(draw, names))
    entries = [page(name) for name in names]
    text = "The programs of `examples/`, in the order of PRML's figures. A page has the whole picture and the source."
    grid = ["::::{grid} 1 2 2 2", ":gutter: 3", *entries, "::::"]
    contents = ["```{toctree}", ":hidden:", *names, "```"]
    write(PAGES / "index.md", "\n".join(["# Gallery", "", text, "", *grid, "", *contents, ""]))


def draw(name):
    """Run a program, as anyone would, in the folder of the pages."""
    program, picture = PROGRAMS / f"{name}.py", PAGES / f"{name}.png"
    if not picture.exists() or picture.stat().st_mtime < program.stat().st_mtime:
        environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run([sys.executable, str(program)], cwd=PAGES, env=environment, check=True, capture_output=True)


def page(name):
    """Write the page of a program; gives its card in the list."""
    docstring = ast.get_docstring(ast.parse((PROGRAMS / f"{name}.py").read_text(encoding="utf-8")))
    first, _, text = docstring.partition("\n")
    title = first.rstrip(".")
    source = f"```{{literalinclude}} ../../examples/{name}.py\n:language: python\n```"
    write(PAGES / f"{name}.md", f"# {title}\n\n![{title}]({name}.png)\n\n{text.strip()}\n\n{source}\n")
    return "\n".join([
        ":::{grid-item-card}", f":img-top: {name}.png", f":img-alt: {title}", f":link: {name}", ":link-type: doc",
        ":class-card: thumbnail", title, ":::",
    ])  # fmt: skip


def write(path, text):
    """Only what has changed, so that Sphinx does not read it again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
