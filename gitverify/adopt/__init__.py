"""``gitverify adopt``: a signed merge that vouches for what is not authentic (R20): made, verified, then used."""
