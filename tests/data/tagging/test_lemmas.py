"""Forms of a word have one key; words that name no sound are left out."""

import pytest

from hsmtss_jax.data.tagging.lemmas import key, keys, words


@pytest.mark.parametrize(
    "forms",
    [
        "bark barks barking barked",
        "brake brakes braking",
        "cry cries crying cried",
        "splash splashes splashing",
        "run runs running ran",
        "chop chops chopping chopped",
        "buzz buzzes buzzing",
        "wolf wolves",
        "engine engines",
        "bus buses",
        "roll rolls rolling",
    ],
)
def test_forms_of_a_word(forms):
    assert len({key(form) for form in forms.split()}) == 1


def test_other_words_stay_apart():
    assert (
        len({key(word) for word in ("sing", "ring", "string", "bus", "buzz", "glass", "gas")}) == 7
    )


def test_words_of_a_caption():
    assert words("A dog's barking, and then the rain falls") == ["dog", "barking", "rain", "falls"]
    assert keys("the sound of a dog barking") == ("dog", "bark")
