"""IPython's settings in an environment that has this course: `etc/ipython/ipython_config.py`."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - IPython defines it

# Says "run the set-up cell first" where a check would not be found.
c.InteractiveShellApp.extensions.append("autograder.early")
