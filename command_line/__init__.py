"""What the three command lines have in common: pages of help, completion in a shell, versions, bars of progress."""
