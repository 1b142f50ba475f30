"""Man pages and completion files, built from the command line itself: ``make man``, ``make completions``.

Nothing of it is installed by pip, which knows no place for either; a package of a distribution runs
``python -m manual.man DIR`` and ``python -m manual.completions DIR`` and installs what it finds there.
"""
