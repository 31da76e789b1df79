"""Pictures and files from the web: which addresses may be asked, and how they are fetched."""
