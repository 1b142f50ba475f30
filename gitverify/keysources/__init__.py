"""Where a user's public keys are found: a file, ssh-agent, gpg's keyring. Whose they are, the user says."""
