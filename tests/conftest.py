"""What all tests share."""

from hypothesis import settings

settings.register_profile("shared machines", deadline=None)  # a slow machine is no failure
settings.load_profile("shared machines")
