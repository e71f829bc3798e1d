"""Problems that were not given."""
