"""The remote helper git-remote-verified: ``verified::URL`` is what is verified of URL."""
