"""Variants of a training: from a grid of overrides, or from a sweep's config."""

import itertools
from collections.abc import Mapping, Sequence

from hsmtss_jax.recipes.recipe import RecipeConfig, StageStep


def read_grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read "path.to.field=a,b,c" into path -> values. Raises ValueError."""
    grid: dict[str, list[str]] = {}
    for text in texts:
        path, equals, values = text.partition("=")
        found = [value.strip() for value in values.split(",") if value.strip()]
        if not path or not equals or not found:
            raise ValueError(f"--vary {text!r} is not of the form path.to.field=a,b,c")
        if path in grid:
            raise ValueError(f"--vary {path} is given twice: write {path}=a,b,c")
        grid[path] = found
    return grid


def grid_variants(
    recipe: RecipeConfig, config: str, grid: Mapping[str, Sequence[str]]
) -> dict[str, RecipeConfig]:
    """Return a variant of one stage for every combination of values, by a name that says what it has."""
    fields = _short(list(grid))
    variants = {}
    for values in itertools.product(*grid.values()):
        name = ",".join(f"{field}={value}" for field, value in zip(fields, values, strict=True))
        overrides = tuple(f"{path}={value}" for path, value in zip(grid, values, strict=True))
        known = {step.config: step.upstream for step in recipe.stages}
        stage = StageStep(config=config, overrides=overrides, upstream=known.get(config, {}))
        variants[name.replace("/", "_")] = RecipeConfig(
            stages=(stage,),
            data=recipe.data,
            text_encoder=recipe.text_encoder,
            features=recipe.features,
            pipeline=None,
        )
    return variants


def _short(paths: Sequence[str]) -> list[str]:
    """Return the last names of paths, where these are enough to tell them apart."""
    last = [path.rpartition(".")[2] for path in paths]
    return last if len(set(last)) == len(last) else list(paths)
