"""A checkpoint with AudioSep's names goes all the way: imported, separated with, measured, by commands."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from hsmtss_jax.audio.io import read_audio, write_audio
from hsmtss_jax.cli.main import main
from hsmtss_jax.inference import Separator
from hsmtss_jax.testing.corpus import write_tiny_corpus
from tests.bundles.importers.audiosep_state import whole_state, write_roberta_files

RATE = 22_050


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The imported bundle of a tiny checkpoint."""
    folder = tmp_path_factory.mktemp("audiosep")
    save_file(whole_state(), folder / "audiosep.safetensors")
    write_roberta_files(folder)
    source, out = str(folder / "audiosep.safetensors"), str(folder / "bundle")
    assert main(["import", "audiosep", source, "-o", out]) == 0
    return folder / "bundle"


@pytest.fixture
def recording(tmp_path):
    sound = 0.1 * np.random.default_rng(0).normal(size=(RATE * 3, 2))
    write_audio(tmp_path / "street.wav", sound, RATE)
    return tmp_path / "street.wav"


def run(capsys, *argv):
    """Status, documents on standard output, standard error."""
    status = main([str(word) for word in argv])
    out, err = capsys.readouterr()
    return status, [json.loads(line) for line in out.splitlines() if line[:1] == "{"], err


def test_separate_writes_both_stems_of_every_prompt(bundle, recording, tmp_path, capsys):
    asked = ("-p", "extract the dog", "-p", "remove the rain", "--two-stems")
    where = ("--ckpt", bundle, "-o", tmp_path / "out", "--json", "-")
    status, documents, _ = run(capsys, "separate", recording, *asked, *where)
    assert status == 0 and len(documents) == 2
    sound = read_audio(recording).samples
    for document in documents:
        assert document["architecture"] == "mask_separator"
        assert document["presence"] is None and document["sampling"] is None
        stems = [read_audio(document[name]).samples for name in ("output", "residual")]
        assert stems[0].shape == sound.shape
        np.testing.assert_allclose(stems[0] + stems[1], sound, atol=2e-4)  # 16 bits each


def test_a_line_for_people_names_no_presence(bundle, recording, tmp_path, capsys):
    out = tmp_path / "out.wav"
    status, _, err = run(
        capsys, "separate", recording, "extract the dog", "--ckpt", bundle, "-o", out
    )
    assert status == 0 and "presence" not in err and out.exists()


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--min-presence", "0.3"), "min-presence 0.3 does not apply to a bundle of the kind"),
        (("--mode", "generate"), "mode generate does not apply to a bundle of the kind"),
        (("--temperature", "0"), "temperature 0.0 does not apply"),
    ],
)
def test_options_of_generation_are_refused(bundle, recording, tmp_path, capsys, option, says):
    out = tmp_path / "out.wav"
    words = (recording, "extract the dog", *option)
    status, _, err = run(capsys, "separate", *words, "--ckpt", bundle, "-o", out)
    assert status == 2 and says in err and err.count("\n") == 1 and not out.exists()


def test_the_api_gives_what_the_command_writes(bundle, recording, tmp_path, capsys):
    result = Separator.from_pretrained(bundle).separate(recording, "extract the dog")
    out = tmp_path / "out.wav"
    run(capsys, "separate", recording, "extract the dog", "--ckpt", bundle, "-o", out)
    np.testing.assert_allclose(read_audio(out).samples, result.target, atol=1e-4)


def test_it_is_measured_alone_and_as_a_baseline(bundle, tmp_path, capsys):
    data = write_tiny_corpus(tmp_path)
    words = ("--data", data, "--count", "2", "--split", "validation", "-o", tmp_path / "a.json")
    status, _, err = run(capsys, "evaluate", "separation", *words, "--ckpt", bundle)
    assert status == 0, err
    summary = json.loads((tmp_path / "a.json").read_text())["summary"]["all"]
    assert {"mixture", "mask", "mask - mixture"} == summary.keys()
    again = (*words[:-1], tmp_path / "b.json", "--ckpt", bundle, "--baseline", bundle)
    assert run(capsys, "evaluate", "separation", *again)[0] == 0
    both = json.loads((tmp_path / "b.json").read_text())["summary"]["all"]
    assert both["baseline"]["sdr"]["mean"] == pytest.approx(both["mask"]["sdr"]["mean"])


def test_what_needs_parts_says_so_in_a_line(bundle, recording, tmp_path, capsys):
    words = ("attention", recording, "extract the dog", "-o", tmp_path / "a.png")
    status, _, err = run(capsys, "visualize", *words, "--ckpt", bundle)
    assert status == 2 and "of the kind mask_separator, which has no parts" in err
    assert err.count("\n") == 1


def test_doctor_knows_it(bundle, capsys):
    assert main(["doctor", "--ckpt", str(bundle)]) == 0
    printed = capsys.readouterr().out
    assert "mask_separator" in printed and "1 sounds at once" in printed
