"""A gallery on disk: its layout, its generations, and who may write."""
