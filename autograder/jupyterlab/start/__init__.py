"""The start page in JupyterLab: the course in its order, what is done, and what comes next."""

from autograder.jupyterlab.start.handler import FIRST, PATH, WORK, Start, StartPage, Work

__all__ = ["FIRST", "PATH", "WORK", "Start", "StartPage", "Work"]
