"""Results as files: a sheet, a table, JSON, and a zip of pictures."""
