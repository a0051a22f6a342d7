"""Other languages are detected, and their common core is parsed for the task."""

import pytest

from hsmtss_jax.instructions.foreign import detect, parse
from tests.instructions.test_captions import CAPTIONS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("entferne den Regen", "German"),
        ("garde seulement la voix", "French"),
        ("quita el ruido", "Spanish"),
        ("rimuovi la pioggia", "Italian"),
        ("remova a chuva", "Portuguese"),
        ("去掉雨声", "Chinese"),
        ("雨の音を消して", "Japanese"),
        ("usuń psa", "Polish"),
        ("удали собаку", ""),
        ("비 소리를 제거해줘", ""),
    ],
)
def test_detected(text, name):
    assert detect(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a woman sings La vie en rose",
            "Für Elise on a piano",
            "El Niño storm",
            "tire screeching",
        ),
        *("a Les Paul guitar", "tango de Buenos Aires", "remove the dog", "Cirque du Soleil show"),
        *("shakuhachi and koto", "a man says bonjour madame", "3 beeps", "café jazz", "Naïve song"),
        "the word 雨 is spoken",
    ],
)
def test_english_with_foreign_words_is_english(text):
    assert detect(text) is None


def test_captions_are_english():
    assert [caption for caption in CAPTIONS if detect(caption)] == []


@pytest.mark.parametrize(
    ("text", "task", "description"),
    [
        ("entferne nicht den Regen", "extract", "den Regen"),
        ("entferne den Regen und behalte die Stimme", "extract", "die Stimme"),
        ("entferne den Regen und behalte den Rest", "remove", "den Regen"),
        ("supprime tout sauf la voix", "extract", "la voix"),
        ("tout sauf la voix", "remove", "la voix"),
        ("no elimines la voz", "extract", "la voz"),
        ("puoi togliere il vento per favore?", "remove", "il vento"),
        ("não remova o piano", "extract", "o piano"),
        ("去掉除了人声以外的所有声音", "extract", "人声"),
        ("声以外を消して", "extract", "声"),
    ],
)
def test_parsed(text, task, description):
    found = parse(text, detect(text))
    assert (found.task, found.description) == (task, description)


def test_no_request():
    assert parse("der Regen ist laut", detect("bitte, der Regen ist nicht laut")) is None
