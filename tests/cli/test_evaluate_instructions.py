"""``hsmtss evaluate instructions``: the table, the report, and tables that cannot be read."""

import json

from hsmtss_jax.cli import main

HEADER = "text,task,description,origin\n"
ROWS = (
    "remove the rain,remove,Rain,own/verbs\n"
    '"extract the dog, please",extract,a cat,own/verbs\n'
    "mute the hum,extract,hum,demo\n"
)


def table(tmp_path, text=HEADER + ROWS):
    path = tmp_path / "cases.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_table_and_report(capsys, tmp_path):
    report = tmp_path / "report" / "instructions.json"
    argv = ["evaluate", "instructions", "--cases", table(tmp_path), "--failures", "-o", str(report)]
    assert main.main(argv) == 0
    out = capsys.readouterr()
    assert "| rules | own | 2 | 2 (100.0 %) | 1 (50.0 %) | 1 (50.0 %) | 0 |" in out.out
    assert "| rules | demo | 1 | 0 (0.0 %) | 0 (0.0 %) | 0 (0.0 %) | 0 |" in out.out
    assert "| rules | all | 3 | 2 (66.7 %) | 1 (33.3 %) | 1 (33.3 %) | 0 |" in out.out
    assert out.err.count("\n") == 2 and "expected extract 'a cat'" in out.err
    document = json.loads(report.read_text())
    assert document["summary"]["rules, all"]["both"] == "1 (33.3 %)"
    assert [row["correct"] for row in document["rows"]["rules"]] == [True, False, False]
    assert report.with_suffix(".md").exists()


def test_an_endpoint_that_is_not_there_falls_back(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    argv = ["evaluate", "instructions", "--cases", table(tmp_path), "--parser", "rules", "endpoint"]
    argv += ["--url", "http://127.0.0.1:9/v1", "--endpoint-model", "m", "--timeout", "2"]
    assert main.main(argv) == 0
    assert (
        "| endpoint | all | 3 | 2 (66.7 %) | 1 (33.3 %) | 1 (33.3 %) | 3 |"
        in capsys.readouterr().out
    )


def test_without_a_table_the_packages_own_is_scored(capsys):
    assert main.main(["evaluate", "instructions"]) == 0
    assert "| rules | all |" in capsys.readouterr().out


def test_errors(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("HSMTSS_LLM_URL", raising=False)

    def error(*options, text=HEADER + ROWS):
        argv = ["evaluate", "instructions", "--cases", table(tmp_path, text), *options]
        assert main.main(argv) == 2
        return capsys.readouterr().err

    assert "lacks the columns origin" in error(text="text,task,description\na,extract,a\n")
    assert "row 1 needs" in error(text=HEADER + "a,mute,a,own\n")
    assert "holds no instruction" in error(text=HEADER)
    assert "HSMTSS_LLM_URL" in error("--parser", "endpoint")
    assert "needs a model" in error("--parser", "local")
    assert main.main(["evaluate", "instructions", "--cases", str(tmp_path / "none.csv")]) == 2
