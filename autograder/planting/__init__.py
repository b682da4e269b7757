"""A fault in one's own earlier work, to be found and repaired."""
