"""Settings for a while."""

import os
import time
from datetime import datetime

import pytest

from classroom.environment import environment_with


def test_everything_is_put_back(monkeypatch):
    """What was there comes back, what was not there goes, also after an error."""
    monkeypatch.setenv("LIMIT", "3")
    seen = []

    def fail():
        with environment_with({"LIMIT": "4", "STAFF": "ruth"}):
            seen.extend([os.environ["LIMIT"], os.environ["STAFF"]])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen == ["4", "ruth"]
    assert os.environ["LIMIT"] == "3"
    assert "STAFF" not in os.environ


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows sets no zone while running")
def test_the_clock_goes_to_another_zone_and_back():
    """`TZ` holds at once, as in a program that starts with it."""
    here = datetime.now().astimezone().utcoffset()
    with environment_with({"TZ": "FAR+20"}):
        assert datetime.now().astimezone().utcoffset().total_seconds() == -20 * 3600
    assert datetime.now().astimezone().utcoffset() == here
