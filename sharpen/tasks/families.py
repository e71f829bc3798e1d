"""The families of the embedded world, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.choice import Choice
from sharpen.tasks.countdown import Countdown
from sharpen.tasks.family import Family
from sharpen.tasks.grid import Grid
from sharpen.tasks.lists import Lists
from sharpen.tasks.logic import Logic
from sharpen.tasks.longform import Longform
from sharpen.tasks.lookup import Lookup
from sharpen.tasks.programs import Programs
from sharpen.tasks.stories import Stories

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Arithmetic(),
            Stories(),
            Countdown(),
            Logic(),
            Lists(),
            Programs(),
            Lookup(),
            Choice(),
            Longform(),
            Grid(),
        )
    }
)
