"""The heartbeat as a sound."""

import io
import re
import wave
from base64 import b64decode

import pytest

from classroom.timeline.sound import heard, wav

BLOCKED = (0.0, 0.01, 0.02, 0.03, 0.83, 0.84, 0.85)


def _samples(data):
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 1)
        return file.getframerate(), file.readframes(file.getnframes())


def _is_silent(samples):
    return set(samples) <= {128}


def test_ticks_sound_and_the_gap_is_silent():
    """Every beat begins a tick; between the last tick and the next there is exact silence."""
    rate, samples = _samples(wav([0.0, 0.5, 1.5], 2.0))
    assert len(samples) == 2 * rate
    for moment in (0.0, 0.5, 1.5):
        start = int(moment * rate)
        assert not _is_silent(samples[start : start + rate // 100])
    assert _is_silent(samples[int(0.52 * rate) : int(1.49 * rate)])


def test_the_page_plays_it_without_a_network():
    """The player holds the whole sound and says in words what is to be heard."""
    picture = heard(BLOCKED, end=0.9, slower=2)
    assert picture.text == "4 ticks, 800 ms of silence, 3 ticks."
    data = re.search(r'<audio controls [^>]*src="data:audio/wav;base64,([^"]+)"', picture.html)[1]
    rate, samples = _samples(b64decode(data))
    assert len(samples) == pytest.approx(0.9 * 2 * rate, abs=1)
    assert _is_silent(samples[int(0.1 * rate) : int(1.65 * rate)])
    assert f'aria-label="The heartbeat as a sound: {picture.text}"' in picture.html


def test_an_even_heartbeat_has_no_silence():
    """Beats at equal distances are ticks and nothing else."""
    assert heard([n / 100 for n in range(30)], end=0.3).text == "30 ticks."
    assert heard([0.5], end=1).text == "1 tick."


def test_a_last_beat_is_heard_whole():
    """A tick at the very end is not cut off."""
    rate, samples = _samples(wav([1.0], 1.0))
    assert len(samples) > rate
    assert not _is_silent(samples[rate:])


def test_a_sound_that_is_too_long_is_refused():
    """More than a minute says what to change; no beat says where to get some."""
    with pytest.raises(ValueError, match="smaller `slower`"):
        heard([0.0, 100.0], end=100)
    with pytest.raises(ValueError, match="no heartbeat"):
        heard([], end=1)
