"""What can be asked and taught."""
