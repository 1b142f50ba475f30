"""Changes to a native policy file's text that leave everything else as its writer wrote it. Pure: bytes in, bytes out.

Comments, order, quoting, indentation and line ends stay. Every change is read back by the strict loader and must say
exactly what was meant, or it is refused with the line to edit by hand.
"""
