"""The about page: models, weights, versions, licences, and where data goes."""
