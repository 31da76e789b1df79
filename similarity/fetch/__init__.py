"""Pictures and files from the web: checks of addresses, downloads, and redaction."""
