"""``python -m gitverify``."""

from gitverify.cli.main import main

main()
