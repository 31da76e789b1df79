"""Texts of pages: messages, numbers and names in words."""
