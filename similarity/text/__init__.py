"""Words from elsewhere as nothing but words."""
