"""Where things are kept: folders, the avatar catalog, the database, object stores."""
