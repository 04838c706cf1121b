"""Whether a built site hangs together: `python docs/_links.py SITE` names broken links and pictures without words.

Nothing is fetched: links to other places are left alone.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, the anchors it has, and its pictures that no words describe."""

    def __init__(self, path):
        super().__init__()
        self.path, self.links, self.anchors, self.silent = path, [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note what matters of a tag."""
        attributes = dict(attrs)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        if tag == "img" and not attributes.get("alt"):
            self.silent.append(attributes.get("src"))


def faults(site):
    """A line for each fault."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    for page in pages.values():
        where = page.path.relative_to(site)
        yield from (f"{where}: {picture} has no alt text" for picture in page.silent)
        for link in page.links:
            scheme, host, path, _, anchor = urlsplit(link)
            target = (page.path.parent / unquote(path)).resolve() if path else page.path.resolve()
            if scheme or host or link == "#":
                continue
            if not target.exists():
                yield f"{where}: {link} is not there"
            elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
                yield f"{where}: {link} has no such anchor"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found) or "all links and pictures are right")
    sys.exit(bool(found))
