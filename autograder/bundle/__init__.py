"""What a class may have: a course that students can use as it is, without answers."""
