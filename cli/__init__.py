"""The command line: a command is a library call with dashes."""
