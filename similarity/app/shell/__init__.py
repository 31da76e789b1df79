"""Parts that all pages share: navigation, links, fields, the choice of a gallery, styles."""
