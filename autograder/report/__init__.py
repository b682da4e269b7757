"""What a class has learned: reads the gradebook and the verdicts, writes pages and tables."""
