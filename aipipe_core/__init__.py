"""The ground floor: the change, and what every agent shares."""
