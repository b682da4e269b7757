"""A heartbeat to listen to: a tick per beat, and silence where the loop was blocked."""

from __future__ import annotations

import io
import math
import wave
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from classroom.pictures import Picture
from classroom.timeline.scale import in_words

_RATE = 8_000
"""Samples a second; enough for ticks, and small in a notebook."""
_PITCH, _TICK, _FADE = 1_100, 0.012, 350
"""A tick's tone in hertz, its length in seconds, and how fast it dies away."""
_LONGEST = 60
"""Seconds of sound at most."""
_SILENCE = 4
"""A pause this many times the usual one is named as silence."""


def heard(beats: Sequence[float], *, end: float, slower: float = 2.0) -> Picture:
    """Return a sound with one tick per beat, with a player and a text.

    Args:
        beats: Moments in seconds, in order.
        end: When the sound ends; it begins with the first beat.
        slower: How much slower than it happened to play it.

    Raises:
        ValueError: There is no beat, or the sound would be longer than a minute.
    """
    if not beats:
        raise ValueError("There is no heartbeat to hear. Watch the app in real time.")
    length = (end - beats[0]) * slower
    if length > _LONGEST:
        raise ValueError(
            f"That would sound for {in_words(length)}. Take fewer requests or a smaller `slower`; "
            f"{_LONGEST} s is the limit."
        )
    words = in_ticks(beats)
    label = escape(f"The heartbeat as a sound: {words}", quote=True)
    data = b64encode(wav([(beat - beats[0]) * slower for beat in beats], length)).decode("ascii")
    return Picture(
        html=f'<div class="cp"><audio controls preload="auto" aria-label="{label}" '
        f'src="data:audio/wav;base64,{data}"></audio>'
        f"<div>{escape(words)} Played {slower:g} times slower.</div></div>",
        text=words,
    )


def in_ticks(beats: Sequence[float]) -> str:
    """Say what is to be heard: so many ticks, a silence, so many ticks."""
    gaps = [after - before for before, after in pairwise(beats)]
    usual = sorted(gaps)[len(gaps) // 2] if gaps else 0.0
    said, run = [], 1
    for gap in gaps:
        if gap > _SILENCE * usual:
            said += [_ticks(run), f"{in_words(gap)} of silence"]
            run = 0
        run += 1
    return ", ".join([*said, _ticks(run)]) + "."


def _ticks(count: int) -> str:
    return "1 tick" if count == 1 else f"{count} ticks"


def wav(moments: Sequence[float], length: float) -> bytes:
    """Return a WAV file, 8 bit mono, silent but for a tick at each moment.

    Args:
        moments: Seconds from the file's begin.
        length: Seconds of the whole; the last tick is always complete.
    """
    tick = [
        math.exp(-_FADE * n / _RATE) * math.sin(2 * math.pi * _PITCH * n / _RATE)
        for n in range(int(_TICK * _RATE))
    ]
    starts = [round(moment * _RATE) for moment in moments]
    samples = [0.0] * (max([round(length * _RATE), *(s + len(tick) for s in starts)]))
    for start in starts:
        for n, level in enumerate(tick):
            samples[start + n] += level
    frames = bytes(128 + round(110 * max(-1.0, min(1.0, level))) for level in samples)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(frames)
    return buffer.getvalue()
