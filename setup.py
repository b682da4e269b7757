"""Lets an editable installation bring along what Jupyter and IPython look for in an environment.

Everything else stands in pyproject.toml. setuptools installs `data-files` then only where the
distribution has a method `has_data`, and its own is called `has_data_files`.
"""

from setuptools import Distribution, setup


class WithData(Distribution):
    """A distribution whose data files are installed in an editable installation too."""

    has_data = Distribution.has_data_files


setup(distclass=WithData)
