"""gitverify: is every commit since a trusted introduction signed by someone its parent's policy lists?"""

__version__ = "0.1.0"
