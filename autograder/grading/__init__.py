"""Grades what students hand in: takes it apart, runs it, writes down the marks."""
