"""The vocabulary: records, ports and errors; imports only the standard library and numpy."""
