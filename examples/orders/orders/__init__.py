"""A small order service: prices a basket over HTTP."""
