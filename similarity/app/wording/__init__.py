"""How things are said on pages."""
