"""What a Docker engine can tell when there is one."""
