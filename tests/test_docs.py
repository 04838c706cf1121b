"""The documentation: its examples run, it names all there is, and every page can be found."""

import doctest
import re
from pathlib import Path

import pytest

import fastmlp

DOCS = Path(__file__).parent.parent / "docs"
PAGES = [page for page in sorted(DOCS.glob("**/*.md")) if not {"gallery", "_build"} & set(page.relative_to(DOCS).parts)]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)


def name(page):
    return str(page.relative_to(DOCS))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed == 0


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_of_python_is_an_example_that_runs(page):
    for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
        assert language in ("python", "sh", "text") or language.startswith("{")
        assert language != "python" or block.startswith(">>> ")


def test_guides_have_examples():
    with_examples = {name(page) for page in PAGES if ">>> " in page.read_text(encoding="utf-8")}
    without = {name(page) for page in PAGES} - with_examples
    assert {each for each in without if not each.startswith("api/")} == {
        "changelog.md",
        "coming-from/index.md",
        "decisions.md",
        "decisions-around.md",
        "lecture.md",
        "not-there.md",
        "performance.md",
    }


def test_every_page_is_in_the_contents():
    listed = {"index.md"}
    for page in PAGES:
        for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
            entries = block.split() if language == "{toctree}" else []
            listed |= {name(page.parent / f"{entry}.md") for entry in entries if not entry.startswith(":")}
    assert listed - {"gallery/index.md"} == set(map(name, PAGES))


def test_the_reference_has_every_public_name():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("api/*.md"))
    documented = set(re.findall(r"^\.\. auto\w+:: (?:fastmlp\.)?(\w+)$", pages, re.M))
    assert set(fastmlp.__all__) - documented == {"__version__", "schedules"}
    assert "automodule:: fastmlp.optimize.schedules" in pages


@pytest.mark.parametrize("owner", [fastmlp.Network, fastmlp.Laplace], ids=lambda owner: owner.__name__)
def test_the_groups_of_the_reference_have_every_member(owner):
    pages = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("api/*.md"))
    groups = re.findall(rf"^\.\. members:: {owner.__name__}\n\n((?: +\w+\n)+)", pages, re.M)
    listed = " ".join(groups).split()
    assert sorted(listed) == [name for name in dir(owner) if not name.startswith("_")]
