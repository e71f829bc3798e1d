"""Methods that are small enough to test the arena with."""
