"""What would be authentic, commit by commit, under the policies as they are or under a proposed one."""
