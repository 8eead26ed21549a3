"""The test agent: select, measure, generate, gate, stabilise."""
