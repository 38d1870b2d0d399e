"""Settings as a report has them: only what is not the default."""

from dataclasses import fields
from functools import cache

from imagegs_tex.builder.jobs import Recipe
from imagegs_tex.settings import CompressSettings, preset_of


@cache
def described(recipe: Recipe) -> dict[str, object]:
    """Return what was asked of a material, by the names that settings have in Python."""
    settings = recipe.settings
    preset = preset_of(settings)
    found: dict[str, object] = {"preset": None if preset is None else preset.value}
    for part, default in ((settings, CompressSettings()), (recipe.options, type(recipe.options)())):
        for entry in fields(part):
            value = getattr(part, entry.name)
            if entry.name not in {"fit", "precision"} and value != getattr(default, entry.name):
                found[entry.name] = value if isinstance(value, int | float) else str(value)
    if settings.fit.seed:
        found["seed"] = settings.fit.seed
    return found
