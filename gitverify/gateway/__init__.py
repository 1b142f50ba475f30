"""Verified commits over HTTP: tarballs that Nix can lock, and channels."""
