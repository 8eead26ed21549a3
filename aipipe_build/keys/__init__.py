"""The steps of a build and the keys under which BuildKit caches them."""
