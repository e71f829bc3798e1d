"""How fast sampling, scoring and learning are, beside what a user would pick instead and the machine's limits."""
