"""The products: one module per category, each a table of models and the parts they are made of."""
