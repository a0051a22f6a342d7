"""AudioSet's ontology: names, hierarchy, synonyms and further kinds."""

import csv
import importlib.resources

from hsmtss_jax.data.tagging.ontology import load_ontology


def test_the_table_is_audioset_s():
    ontology = load_ontology()
    assert sum(not name.islower() for name in ontology.sounds) >= 632
    assert ontology.above("Bark") >= {"Dog", "Domestic animals, pets", "Animal"}
    assert "Fire" in ontology.above("Crackle") and not ontology.above("Animal")


def test_closure():
    assert load_ontology().closure(frozenset({"Bark"})) >= {"Bark", "Dog", "Animal"}


def test_kinds_are_sounds_of_their_own():
    ontology = load_ontology()
    assert "Wild animals" in ontology.above("hyena") and "Animal" in ontology.above("hyena")


def test_every_synonym_names_a_sound():
    folder = importlib.resources.files("hsmtss_jax.assets") / "tags"
    rows = list(csv.DictReader((folder / "synonyms.csv").read_text().splitlines()))
    sounds = load_ontology().sounds
    assert all(row["name"] in sounds and row["relation"] in ("same", "kind") for row in rows)
    assert len({row["words"] for row in rows}) == len(rows)
