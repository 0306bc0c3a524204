"""The engine named basic: no weights of its own, faces move as textures."""
