"""Progress: what is told, and when."""

from hsmtss_jax.cli.progress import counted, progress_bar


def test_an_item_counts_once_the_next_is_asked_for():
    told = []
    items = counted("ab", 2, lambda *each: told.append(each))
    assert next(items) == "a" and not told
    assert list(items) == ["b"] and told == [(1, 2), (2, 2)]


def test_without_a_terminal_nothing_is_drawn(capsys):
    with progress_bar(unit="clip") as progress:
        progress(1, 2)
    assert capsys.readouterr().err == ""
