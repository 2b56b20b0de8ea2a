"""The terminal client: speaks the wire, and knows nothing of models or of the server's code."""
