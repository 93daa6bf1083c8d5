"""The list of packages, found rather than written down; everything else stands in `pyproject.toml`.

`pyproject.toml` can either find packages or map folders, and two packages live at the top level of the repository:
`cli/`, so that the command line has a room of its own, and the reference model in `exported/`.
"""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["edgeconv", "edgeconv.*"]), "edgeconv.cli", "edgeconv.reference"])
