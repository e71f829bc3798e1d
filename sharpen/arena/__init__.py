"""Methods side by side at equal spend."""
