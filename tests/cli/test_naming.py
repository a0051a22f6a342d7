"""Names of results."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsmtss_jax.audio.io import AudioWarning
from hsmtss_jax.audio.output import OutputOptions
from hsmtss_jax.cli.discovery import Input
from hsmtss_jax.cli.separate.naming import NamingRule, plan_outputs, slug

ONE = [Input(Path("music/song.flac"))]
WAV = OutputOptions(format="wav")
SAME = [Input(Path("a/x.wav")), Input(Path("b/x.wav"))]


def names(naming, inputs=ONE, prompts=("remove the rain",)):
    outputs = plan_outputs(naming, inputs, prompts)
    return [str(file) for of_input in outputs for paths in of_input for file in paths.files]


@pytest.mark.parametrize(
    ("naming", "inputs", "prompts", "expected"),
    [
        (NamingRule(), ONE, ["x"], ["music/song_separated.flac"]),
        (NamingRule(options=WAV), ONE, ["x"], ["music/song_separated.wav"]),
        (NamingRule(output="r.flac"), ONE, ["x"], ["r.flac"]),
        (NamingRule(output="r.wav", two_stems=True), ONE, ["x"], ["r.wav", "r_residual.wav"]),
        (NamingRule(output="out"), ONE, ["x"], ["out/song_target.flac"]),
        (
            NamingRule(),
            ONE,
            ["a b", "c"],
            ["music/song_a_b_target.flac", "music/song_c_target.flac"],
        ),
        (NamingRule(), SAME, ["x"], ["separated/x_target.wav", "separated/x_2_target.wav"]),
        (
            NamingRule(output="o"),
            [Input(Path("in/d/x.wav"), Path("d")), Input(Path("in/x.wav"))],
            ["x"],
            ["o/d/x_target.wav", "o/x_target.wav"],
        ),
        (
            NamingRule(output="o", template="{track}/{stem}.{ext}", two_stems=True),
            SAME,
            ["x"],
            ["o/x/target.wav", "o/x/residual.wav", "o/x_2/target.wav", "o/x_2/residual.wav"],
        ),
        (
            NamingRule(output="o", template="{prompt}.flac"),
            ONE,
            ["Remove: A/B!"],
            ["o/remove_a_b.flac"],
        ),
        (NamingRule(template="{track}"), ONE, ["x"], ["music/song_2.flac"]),
        (NamingRule(output="o", template="{stem}"), ONE, ["x"], ["o/target.flac"]),
        (
            NamingRule(output="o", template="{track}_{prompt}"),
            ONE,
            ["A", "a"],
            ["o/song_a.flac", "o/song_2_a.flac"],
        ),
    ],
)
def test_names(naming, inputs, prompts, expected):
    assert names(naming, inputs, prompts) == expected


@pytest.mark.parametrize(
    ("naming", "said"),
    [
        (NamingRule(output="x.wav"), "2 results: name a folder"),
        (NamingRule(template="{track}_{nmae}"), r"no field \{nmae\}: choose among \{track\}"),
        (NamingRule(template="{track.parent}"), r"no field \{track.parent\}"),
        (NamingRule(template="{track!r}"), "no field"),
        (NamingRule(template="{}"), "no field"),
        (NamingRule(template="{track"), "expected '}'"),
        (NamingRule(template="{stem}"), r"needs \{track\}"),
        (NamingRule(template="{track}", two_stems=True), r"needs \{stem\}"),
        (NamingRule(template="../{track}"), "below the output folder"),
        (NamingRule(template="/tmp/{track}"), "below the output folder"),
        (NamingRule(template="{track}.flac", options=WAV), "--format is wav"),
        (NamingRule(output="x.xyz"), "2 results"),
    ],
)
def test_names_that_are_refused(naming, said):
    with pytest.raises(ValueError, match=said):
        names(naming, SAME)


def test_a_file_is_never_an_input():
    with pytest.raises(ValueError, match="would overwrite the input"):
        names(NamingRule(output="music/../music/song.flac"))
    with pytest.raises(ValueError, match=r"song.wav is no flac file"):
        names(NamingRule(output="song.wav", options=OutputOptions(format="flac")))
    with pytest.raises(ValueError, match="goes with a folder"):
        names(NamingRule(output="song.wav", template="{track}"))
    assert names(NamingRule(template="{track}"), [Input(Path("a.wav"))]) == ["a_2.wav"]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(TEXT.filter(lambda text: text not in (".", "..")), min_size=1, max_size=4),
    st.lists(TEXT, min_size=1, max_size=3),
    st.booleans(),
)
def test_names_are_distinct_and_stay_in_their_folder(tracks, prompts, two_stems):
    inputs = [Input(Path(str(i), f"{track}.wav")) for i, track in enumerate(tracks)]
    found = names(NamingRule(output="out", two_stems=two_stems), inputs, prompts)
    assert len({name.casefold() for name in found}) == len(tracks) * len(prompts) * (1 + two_stems)
    for name in found:
        assert os.path.dirname(os.path.normpath(name)) == "out" and name.endswith(".wav")
        assert len(os.path.basename(name).encode()) <= 200


def test_long_names_are_told_apart_by_their_number():
    """The number stands in the middle of a name whose middle is left out."""
    inputs = [Input(Path(str(i), f"{'x' * 240}.wav")) for i in range(3)]
    found = names(NamingRule(output="out"), inputs, ["remove the rain", "extract the rain"])
    assert len(set(found)) == 6
    assert all(len(os.path.basename(name).encode()) <= 200 for name in found)


@pytest.mark.parametrize("name", ["a.xyz", "a.txt", "deep/a.docx"])
def test_a_suffix_that_is_not_written_is_refused(name):
    with pytest.raises(ValueError, match=r"no format that is written.* ends with /"):
        names(NamingRule(output=name))
    assert names(NamingRule(output=f"{name}/")) == [f"{name}/song_target.flac"]


@pytest.mark.parametrize("name", ["out", "v1.5", "2024.11", "a.b c", "takes.february"])
def test_a_folder_may_have_a_point(name):
    assert names(NamingRule(output=name)) == [f"{name}/song_target.flac"]


@pytest.mark.parametrize(
    ("source", "result"),
    [("a.FLAC", "a_separated.flac"), ("a.aif", "a_separated.aif"), ("a.wave", "a_separated.wave")],
)
def test_results_have_the_format_of_the_input(source, result):
    assert names(NamingRule(), [Input(Path(source))]) == [result]


@pytest.mark.parametrize("source", ["a.amr", "a", "a.dts"])
def test_a_format_that_is_not_written_is_told(source):
    with pytest.warns(AudioWarning, match="is not written: the results are wav"):
        assert names(NamingRule(), [Input(Path(source))]) == ["a_separated.wav"]


def test_a_depth_needs_a_format_that_has_one():
    options = OutputOptions(bit_depth="24")
    with pytest.warns(AudioWarning, match="MP3 has no bit depth"):
        assert names(NamingRule(options=options), [Input(Path("a.mp3"))]) == ["a_separated.wav"]


def test_figures_do_not_share_a_name():
    inputs = [Input(Path("a/x.wav")), Input(Path("a/x.flac"))]
    assert names(NamingRule(output="o"), inputs) == ["o/x_target.wav", "o/x_2_target.flac"]


def test_slug():
    assert slug("  Remove the dog's BARK / rain ") == "remove_the_dog_s_bark_rain"
    assert slug("¡!") == "prompt" and len(slug("word " * 50)) <= 60
    assert slug("Ödland 雨") == "ödland_雨"
