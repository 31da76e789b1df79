"""Bytes to safe pictures."""
