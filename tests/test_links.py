"""Links of the texts, as they are read without a site: files and headings that they name exist, pictures have words.

What Sphinx makes of docs/ is checked by docs/_links.py, which the whole check runs on the site.
"""

import re
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP / "docs"))

import _links  # noqa: E402

FOLDERS = ("docs", "examples", "bench", "fastmlp", "src_c", "tests")
TEXTS = sorted([*TOP.glob("*.md"), *(path for folder in FOLDERS for path in (TOP / folder).rglob("*.md"))])
TEXTS = [path for path in TEXTS if not {"_build", "gallery"} & set(path.relative_to(TOP).parts)]
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)


def text(path):
    return path.read_text(encoding="utf-8")


def anchors(path):
    """As GitHub and MyST make them of headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text(path), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(TOP)))
def test_links_of_a_text_lead_somewhere(path):
    prose = CODE.sub("", text(path))
    links = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'(?:src|srcset|href)="([^"]+)"', prose)
    for link in links:
        if "://" not in link:
            place, _, anchor = link.partition("#")
            target = (path.parent / place) if place else path
            assert target.exists() or "gallery" in place, link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(TOP)))
def test_pictures_of_a_text_have_words(path):
    prose = CODE.sub("", text(path))
    assert "![](" not in prose
    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", prose))
    assert prose.count(":::{image}") == prose.count(":alt: ")


def test_a_site_that_is_broken_is_told(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there">1</a><a href="b.html#gone">2</a><a href="c.html">3</a>')
    (tmp_path / "b.html").write_text('<p id="there"><img src="a.html"><a href="https://elsewhere.org/x">4</a></p>')
    assert list(_links.faults(tmp_path)) == [
        "a.html: b.html#gone has no such anchor",
        "a.html: c.html is not there",
        "b.html: a.html has no alt text",
    ]
