"""The page: whole, closed to what is outside, the same bytes each time, and safe from the names in a table."""

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import report_cases
from fastmlp import report
from fastmlp.report import writing
from fastmlp.tables.columns import Column, Schema

VOID = {"meta", "br", "hr"}
CASES = {
    "numbers": report_cases.of_numbers,
    "classes": report_cases.of_classes,
    "many classes": lambda: report_cases.of_classes(14),
}


class Reader(HTMLParser):
    """Tags that are closed as they were opened, and what there is of each."""

    def __init__(self, html):
        super().__init__()
        self.open, self.found, self.words = [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += data

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def page(tmp_path, case, name="report.html"):
    path = tmp_path / name
    report.written(*CASES[case](), path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_whole_and_asks_for_nothing(tmp_path, case):
    html = page(tmp_path, case)
    reader = Reader(html)
    assert reader.all("script") == reader.all("link") == reader.all("img") == []
    assert not any({"src", "href", "onload", "onclick"} & set(attributes) for _, attributes in reader.found)
    assert "url(" not in html
    assert "@import" not in html
    assert "nan" not in "".join(str(a) for tag, a in reader.found if tag in ("path", "circle", "text"))


@pytest.mark.parametrize("case", CASES)
def test_the_page_can_be_read_without_seeing_it(tmp_path, case):
    reader = Reader(page(tmp_path, case))
    assert reader.all("html") == [{"lang": "en"}]
    assert len(reader.all("h1")) == len(reader.all("main")) == 1
    for svg in reader.all("svg"):
        assert svg.get("aria-hidden") or (svg["role"] == "img" and len(svg["aria-label"]) > 10)
    assert all(th["scope"] in ("row", "col") for th in reader.all("th"))
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(div["tabindex"] == "0" for div in reader.all("div") if div.get("class") == "wide")


def test_the_page_says_what_the_text_says(tmp_path):
    m = report.measured(*report_cases.of_numbers())
    words = Reader(page(tmp_path, "numbers")).words.replace("\xa0", " ")
    assert report.verdict(m) in words
    for name in ("speed", "place", "<script>alert(1)</script>", "width & depth", "a<b>.csv", "told <b>twice</b>"):
        assert name in words
    assert f"{m.network.rmse:.3f}" in words


def test_the_same_rows_give_the_same_bytes_and_measures(tmp_path):
    assert page(tmp_path, "numbers") == page(tmp_path, "numbers", "other.html")
    m = report.written(*report_cases.of_numbers(), str(tmp_path / "third.html"))
    assert report.text(m) == report.text(report.measured(*report_cases.of_numbers()))


def test_a_page_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr(writing, "page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.written(*report_cases.of_numbers(), path)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    monkeypatch.undo()
    with pytest.raises(OSError, match=r"nowhere"):
        report.written(*report_cases.of_classes(), tmp_path / "nowhere" / "report.html")
    with pytest.raises(TypeError, match="path"):
        report.written(*report_cases.of_numbers(), 3)


def test_names_that_end_a_tag_an_attribute_or_a_line(tmp_path):
    bad = '"></svg></title></style><script>x</script>\x1b\u202e\n{0} %s'
    schema = Schema((Column(bad, "number"), Column("c", "category", (bad, "b", "c"))), Column(bad, "number"))
    X = np.column_stack([np.arange(12.0), np.tile(np.eye(3), (4, 1))])
    model = report_cases.linear([1.0, 1.0, 2.0, 3.0], schema.measured(X, X[:, 0]))
    path = tmp_path / "report.html"
    report.written(model, (X, X[:, 0]), (X, X[:, 0]), path)
    reader = Reader(path.read_text(encoding="utf-8"))
    assert reader.all("script") == []
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_a_network_that_uses_nothing_has_a_page(tmp_path):
    X, T = report_cases.rows(30)
    path = tmp_path / "report.html"
    report.written(report_cases.linear(np.zeros(5), report_cases.SCHEMA), (X, T), (X[:1], T[:1]), path)
    assert "uses no column" in Reader(path.read_text(encoding="utf-8")).words


def test_many_columns_are_not_all_listed(tmp_path):
    schema = Schema(tuple(Column(f"band {k}", "number") for k in range(300)), Column("y", "number"))
    X = np.random.default_rng(0).normal(size=(20, 300))
    path = tmp_path / "report.html"
    report.written(report_cases.linear(np.ones(300), schema.measured(X, X[:, 0])), (X, X[:, 0]), (X, X[:, 0]), path)
    assert "The first 20 of 300 columns" in Reader(path.read_text(encoding="utf-8")).words
    assert path.stat().st_size < 100_000


def test_a_report_needs_neither_matplotlib_nor_pandas():
    program = (
        "import sys, numpy as np, fastmlp; from fastmlp.report import page, writing;"
        "assert not {'matplotlib', 'pandas', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
