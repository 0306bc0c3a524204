"""The built-in engine: a talking face on a CPU with nothing downloaded."""
