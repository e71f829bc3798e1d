"""What is to be solved, and where the answers live."""
