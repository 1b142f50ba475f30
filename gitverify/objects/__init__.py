"""Raw git objects, strictly parsed (R5 to R7). Pure: bytes in, frozen dataclasses out."""
