"""What nbgrader's extension shows depends on whether there is a class to hand in to."""

import pytest

from autograder.jupyterlab import exchange, hide_what_needs_a_class, in_a_class


@pytest.fixture(autouse=True)
def no_config_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "1")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("COURSE_ROLE", raising=False)


def test_the_exchange_is_the_one_that_nbgraders_configuration_names(tmp_path):
    """The file in the course's folder decides; without a word it is nbgrader's own."""
    assert str(exchange(tmp_path)).endswith("nbgrader/exchange")
    root = tmp_path / "exchange"
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(root)!r}\n", encoding="utf-8"
    )
    assert exchange(tmp_path) == root


def test_an_exchange_or_an_instructor_makes_a_class(tmp_path, monkeypatch):
    """A folder that is there, or the role, shows all of nbgrader."""
    root = tmp_path / "exchange"
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(root)!r}\n", encoding="utf-8"
    )
    assert not in_a_class(tmp_path)
    root.mkdir()
    assert in_a_class(tmp_path)
    root.rmdir()
    monkeypatch.setenv("COURSE_ROLE", "instructor")
    assert in_a_class(tmp_path)


@pytest.mark.parametrize("disabled", [[], {}, {"other": True}])
def test_what_was_disabled_before_stays_disabled(disabled):
    """Both forms that JupyterLab knows keep what they hold."""
    config = hide_what_needs_a_class({"disabledExtensions": disabled})
    assert {"@jupyter/nbgrader:formgrader", *disabled} <= set(config["disabledExtensions"])
