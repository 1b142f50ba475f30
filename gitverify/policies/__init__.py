"""Policies: a policy file's bytes in, a :class:`~gitverify.policies.model.Policy` out (R14, R15, R22, R22b). Pure."""
