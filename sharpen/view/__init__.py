"""What a person sees: readers of the journal only."""
