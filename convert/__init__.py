"""A Hugging Face checkpoint of the MiniCPM architecture becomes a GGUF file. Knows nothing of the server."""
