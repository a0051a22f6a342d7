"""Tables of sets: headers are checked, odd encodings read, faults told with their line."""

import pytest

from hsmtss_jax.data.preparation.tables import read_bare, read_json, read_rows


def test_rows_by_their_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(
        '\ufefffile, caption\r\na.wav,"a dog, barking"\r\n\r\nb.wav,\u00e9\r\n'.encode()
    )
    rows = list(read_rows(path, ["file", "caption"]))
    assert rows[0] == {"file": "a.wav", "caption": "a dog, barking"}
    assert rows[1]["caption"] == "\u00e9" and len(rows) == 2


def test_latin_1_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("file,author\na.wav,Andr\u00e9\n".encode("latin-1"))
    assert next(read_rows(path, ["author"]))["author"] == "Andr\u00e9"


def test_a_wrong_header_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name;text\na;b\n")
    with pytest.raises(ValueError, match="has no column 'file': its first line is 'name;text'"):
        list(read_rows(path, ["file"]))
    path.write_text("file,caption\na.wav\n")
    with pytest.raises(ValueError, match=r"line 2 of .* has no caption: it is cut short"):
        list(read_rows(path, ["file", "caption"]))


def test_rows_without_a_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('# made 2017\n# more\nab, 0.000, 10.000, "/m/1,/m/2"\n')
    (row,) = read_bare(path, ["id", "start", "stop", "labels"], comment="#")
    assert row == {"id": "ab", "start": "0.000", "stop": "10.000", "labels": "/m/1,/m/2"}
    with pytest.raises(ValueError, match=r"line 3 of .* has 4 fields, not id, start"):
        list(read_bare(path, ["id", "start"], comment="#"))


def test_tabs_take_quotes_as_they_are(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('id\tname\n1\t"half\n')
    assert next(read_rows(path, ["name"], delimiter="\t"))["name"] == '"half'


def test_json_that_is_none(tmp_path):
    path = tmp_path / "t.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        read_json(path)
