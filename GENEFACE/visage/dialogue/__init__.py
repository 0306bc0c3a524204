"""A conversation: hear, think, speak.  Sees the seams only, never a driver."""
