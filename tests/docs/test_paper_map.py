"""docs/paper_map.md against the code: what it names is defined there, and equations can be searched for."""

import ast
import re

import pytest

from tests.docs import pages

PAGE = pages.ROOT / "docs" / "paper_map.md"
PACKAGE = pages.ROOT / "hsmtss_jax"
LINKS = [link for link in pages.links(PAGE) if ".py" in link[1]]


def defined(source: str) -> set[str]:
    """Return the functions and classes of a module, methods as Class.method."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if isinstance(each, ast.FunctionDef))
            found |= {f"{node.name}.{each.name}" for each in inner}
    return found


@pytest.mark.parametrize(("text", "target"), LINKS, ids=[text for text, _ in LINKS])
def test_a_link_names_a_function_that_is_there(text, target):
    found = re.fullmatch(r"`(\w+\.py):([\w.]+)`", text)
    assert found, f"{text} should be written `file.py:function`"
    path = (PAGE.parent / target).resolve()
    assert path.is_relative_to(PACKAGE) and path.name == found[1]
    assert found[2] in defined(path.read_text()), f"{target} does not define {found[2]}"


def spelt(spelling: str) -> set[tuple[str, str]]:
    """Return (file, function or class) of all docstrings with a spelling; a method counts for its class."""
    return {
        (path.name, node.name)
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and any(
            spelling in (ast.get_docstring(each) or "")
            for each in ast.walk(node)
            if isinstance(each, ast.FunctionDef | ast.ClassDef)
        )
    }


@pytest.mark.parametrize("number", range(1, 11))
def test_an_equation_is_spelt_on_the_function_that_the_map_names(number):
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| ({number}) |")]
    assert len(rows) == 1
    named = set(re.findall(r"`(\w+\.py):(\w+)`", rows[0]))
    found = spelt(f"HSM-TSS eq. ({number})")
    assert named & found, f"spelt on {sorted(found) or 'nothing'}, the map names {sorted(named)}"


def test_every_section_and_table_has_a_row():
    text = PAGE.read_text()
    for table in ("I", "II", "III", "IV", "V", "VI", "VII", "VIII"):
        assert f"\n| {table} |" in text
    for section in ("III-A", "III-B", "III-C", "III-D", "III-E", "III-F", "IV-A", "IV-B", "IV-C"):
        assert f"\n| {section} |" in text
