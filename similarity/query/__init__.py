"""From a query to ranked results and their explanation."""
