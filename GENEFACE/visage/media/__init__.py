"""Sound and moving pictures in and out of files."""
