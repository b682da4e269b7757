"""The language model of a lesson is one line away."""

from __future__ import annotations

import os
import sys

import openai
import pytest

from classroom.upstream import Pace, local_llm


@pytest.fixture(autouse=True)
def own_model(monkeypatch):
    monkeypatch.setenv("UPSTREAM_URL", "http://before.invalid")
    yield
    local = sys.modules["classroom.upstream.local_llm"]._local
    while local:
        local.pop().stop()


def test_one_line_gives_a_model():
    """A lesson's model answers OpenAI's client, and apps find it in the environment."""
    llm = local_llm()
    with openai.OpenAI(**llm.openai) as client:
        reply = client.chat.completions.create(
            model="desk-small", messages=[{"role": "user", "content": "Hello"}]
        )
    assert reply.choices[0].message.content
    assert os.environ["UPSTREAM_URL"] == llm.url


def test_running_the_cell_again_changes_only_the_pace():
    """The second call returns the same server, now at the new pace."""
    first = local_llm()
    address = first.url
    second = local_llm(first=0.5, each=0.01)
    assert second is first
    assert second.url == address
    assert second.pace == Pace(first=0.5, each=0.01)
