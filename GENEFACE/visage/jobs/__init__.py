"""Jobs: stored in a database, queued by huey, run in processes of their own."""
