"""The rules: each looks at a Dockerfile and proposes one kind of rewrite."""
