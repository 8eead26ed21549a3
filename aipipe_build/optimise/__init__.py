"""A better Dockerfile, proposed by rules and accepted only with proof."""
