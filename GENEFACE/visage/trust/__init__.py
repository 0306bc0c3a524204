"""Who agreed to what, what was made from it, and how everybody can see that a machine made it (docs/trust.md)."""
