"""Launch files: their form, and that the commands in them parse."""

import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from hsmtss_jax.config import load_config
from hsmtss_jax.recipes.recipe import SweepConfig
from tests.docs import pages
from tests.docs.test_commands import hsmtss

FOLDER = pages.ROOT / "launch"
SCRIPTS = sorted([*FOLDER.glob("*.sh"), *FOLDER.glob("*.slurm")])
VALUES = {"SHARED": "/shared", "WORKDIR": "runs/x", "1": "sweep_p_gt", "SLURM_ARRAY_TASK_ID": "0"}


def filled(text: str) -> str:
    """Fill in what a shell would: "${NAME:-default}" and "$NAME"."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    return re.sub(r'"?\$(\w+|@)"?', lambda found: VALUES.get(found[1], ""), text)


def commands(text: str) -> list[list[str]]:
    """Return the words of every hsmtss command of a script."""
    text = text.replace("\\\n", " ")
    found = re.findall(r"(?:srun[^\n]*? |:-)hsmtss ((?:recipe|sweep)[^\n|}]*(?:\}[^\n|}]*)*)", text)
    return [shlex.split(filled(each).rstrip("} ")) for each in found]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_one_and_its_commands_parse(path):
    if shutil.which("bash"):
        subprocess.run(["bash", "-n", path], check=True)
    assert path.stat().st_mode & 0o111
    found = commands(path.read_text())
    assert found
    for words in found:
        hsmtss(words)


def test_the_job_s_command_parses_and_its_parts_fit():
    service, job = yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    program, *words = container["command"]
    assert program == "hsmtss"
    hsmtss(words)
    spec = job["spec"]
    assert spec["completions"] == spec["parallelism"] == 4 and spec["completionMode"] == "Indexed"
    assert spec["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"]["job-name"] == job["metadata"]["name"]


def test_the_array_has_a_job_for_every_variant():
    array = re.search(
        r"--array=0-(\d+) launch/sweep.slurm (\w+)", (FOLDER / "sweep.slurm").read_text()
    )
    assert array is not None
    sweep = load_config(array[2], "base", SweepConfig)
    assert int(array[1]) == len(sweep.variants) - 1


def test_every_file_is_documented():
    page = (pages.ROOT / "docs" / "launch.md").read_text()
    for path in FOLDER.iterdir():
        assert f"launch/{path.name}" in page, path.name
