"""Links of the Markdown pages point to files and headings that exist."""

import pytest

from tests.docs import pages


@pytest.mark.parametrize("path", pages.PAGES, ids=pages.name)
def test_links_resolve(path):
    for text, target in pages.links(path):
        if target.startswith(("http:", "https:")):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"[{text}] points to {target}, which does not exist"
        if anchor and (found.name, anchor) != ("contributing.md", anchor):
            assert anchor in pages.anchors(found), f"[{text}] points to {target}: no such heading"


def test_anchors_of_the_included_page():
    """docs/contributing.md is CONTRIBUTING.md; its headings are found there."""
    known = pages.anchors(pages.ROOT / "CONTRIBUTING.md")
    wanted = {
        target.partition("#")[2]
        for path in pages.PAGES
        for _, target in pages.links(path)
        if target.startswith("contributing.md#")
    }
    assert wanted and wanted <= known


def test_every_page_of_the_manual_is_in_a_table_of_contents():
    docs = pages.ROOT / "docs"
    for folder in (docs, docs / "api"):
        listed = set((folder / "index.md").read_text().split())
        names = {path.stem for path in folder.glob("*.md")} - {"index"}
        assert names <= listed
