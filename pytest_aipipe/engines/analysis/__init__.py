"""What can be read off the sources: guards, shapes of arguments, values worth trying."""
