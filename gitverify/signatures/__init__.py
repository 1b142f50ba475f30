"""Signatures: bytes in, the key that signed them out (R8 to R13). Pure: no I/O, no clock, no environment."""
