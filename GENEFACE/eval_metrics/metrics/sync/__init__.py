"""Whether lips and sound belong together: SyncNet's LSE, and figures of our own that need no weights of others."""
