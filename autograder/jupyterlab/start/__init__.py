"""The start page in JupyterLab: the course in its order, what is done, and what comes next."""

from autograder.jupyterlab.start.handler import PATH, StartPage

__all__ = ["PATH", "StartPage"]
