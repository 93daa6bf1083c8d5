"""The steps of an export, one file each: every one takes what the one before it made."""
