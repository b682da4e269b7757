"""OpenAI's own client cannot tell the upstream from the real API."""

from __future__ import annotations

import json
import math
from operator import mul

import openai
import pytest
from pydantic import BaseModel

from classroom.upstream import CallState, Cut, Fail, HangUp, Malformed, Say

pytestmark = pytest.mark.anyio

ASKED = {"model": "desk-small", "messages": [{"role": "user", "content": "What is a queue?"}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
                "unit": {"enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    },
}


async def text_of(stream):
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def collect(stream, words):
    async for chunk in stream:
        words.append(chunk.choices[0].delta.content)


async def test_a_chat_is_answered(model):
    """A completion has text, a reason to end, and a usage that adds up."""
    reply = await model.chat.completions.create(**ASKED)
    assert "What is a queue?" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == "desk-small"
    assert reply.usage.prompt_tokens == 5
    assert reply.usage.total_tokens == 5 + reply.usage.completion_tokens


async def test_the_same_request_gets_the_same_answer(model):
    """Two equal requests get equal answers, a different one a different answer."""
    first, second = [await model.chat.completions.create(**ASKED) for _ in range(2)]
    other = await model.chat.completions.create(**ASKED, seed=7)
    assert first == second
    assert other.choices[0].message != first.choices[0].message


async def test_a_stream_says_the_same_words(model):
    """A stream's pieces are the words of the whole answer."""
    whole = await model.chat.completions.create(**ASKED)
    stream = await model.chat.completions.create(**ASKED, stream=True)
    assert await text_of(stream) == whole.choices[0].message.content


async def test_a_stream_ends_with_its_usage_when_asked(model):
    """With include_usage the last chunk has no choices and carries the usage."""
    whole = await model.chat.completions.create(**ASKED)
    stream = await model.chat.completions.create(
        **ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert {chunk.usage for chunk in chunks[:-1]} == {None}


async def test_a_limit_of_tokens_ends_the_answer(model):
    """An answer that reaches max_completion_tokens ends with the reason `length`."""
    reply = await model.chat.completions.create(**ASKED, max_completion_tokens=3)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 3


async def test_a_tool_that_is_named_is_called(model):
    """A question that names a tool gets a call of it whose arguments fit its schema."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "get weather in Paris"}]}
    reply = await model.chat.completions.create(**asked, tools=[WEATHER])
    call = reply.choices[0].message.tool_calls[0].function
    arguments = json.loads(call.arguments)
    assert reply.choices[0].finish_reason == "tool_calls"
    assert call.name == "get_weather"
    assert arguments["city"] == "Paris"
    assert 1 <= arguments["days"] <= 7
    assert arguments["unit"] in {"celsius", "fahrenheit"}


async def test_a_streamed_tool_call_is_the_same(model):
    """The pieces of a streamed tool call make up the arguments of the whole one."""
    asked = {**ASKED, "tools": [WEATHER], "tool_choice": "required"}
    whole = await model.chat.completions.create(**asked)
    stream = await model.chat.completions.create(**asked, stream=True)
    pieces = [
        piece.function.arguments
        async for chunk in stream
        for piece in chunk.choices[0].delta.tool_calls or []
    ]
    assert "".join(pieces) == whole.choices[0].message.tool_calls[0].function.arguments


async def test_a_tools_result_is_answered_in_words(model):
    """After a tool has answered, the model speaks again instead of calling it again."""
    result = {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"}
    reply = await model.chat.completions.create(
        model="m", messages=[*ASKED["messages"], result], tools=[WEATHER], tool_choice="required"
    )
    assert reply.choices[0].finish_reason == "stop"


async def test_a_structured_output_fits_its_model(model):
    """An answer for a response format can be parsed into that Pydantic model."""

    class Part(BaseModel):
        name: str

    class Note(BaseModel):
        title: str
        score: float
        done: bool
        parts: list[Part]

    reply = await model.chat.completions.parse(**ASKED, response_format=Note)
    assert isinstance(reply.choices[0].message.parsed, Note)
    assert reply.choices[0].message.parsed.parts


async def test_embeddings_point_alike_for_texts_that_share_words(model):
    """Vectors have length 1, and texts that share words are nearer."""
    texts = ["a cat sat here", "the cat sat there", "invoice number nine"]
    reply = await model.embeddings.create(model="desk-embed", input=texts)
    cat, other_cat, invoice = (item.embedding for item in reply.data)
    assert math.isclose(math.hypot(*cat), 1, rel_tol=1e-5)
    assert sum(map(mul, cat, other_cat)) > sum(map(mul, cat, invoice))
    assert reply.usage.total_tokens == 11


async def test_embeddings_are_the_same_in_either_encoding(model):
    """The client's usual base64 and plain numbers are the same vector, to single precision."""
    asked = {"model": "desk-embed", "input": "one text"}
    packed = await model.embeddings.create(**asked)
    plain = await model.embeddings.create(**asked, encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)


async def test_embeddings_have_the_dimensions_asked_for(model):
    """`dimensions` is how many numbers a vector has."""
    reply = await model.embeddings.create(model="desk-embed", input="one", dimensions=32)
    assert len(reply.data[0].embedding) == 32


async def test_models_are_listed_and_found(model):
    """The listed models can be asked for one by one; another one does not exist."""
    listed = [card.id async for card in model.models.list()]
    assert (await model.models.retrieve(listed[0])).id == listed[0]
    with pytest.raises(openai.NotFoundError):
        await model.models.retrieve("gpt-none")


async def test_a_wrong_key_is_an_authentication_error(model, upstream):
    """A scripted 401 is not tried again and raises AuthenticationError."""
    with upstream.chat.script(Fail(401)), pytest.raises(openai.AuthenticationError) as caught:
        await model.chat.completions.create(**ASKED)
    assert caught.value.code == "invalid_api_key"
    assert len(upstream.chat.calls) == 1


async def test_a_rate_limit_is_tried_again(model, upstream):
    """429 with retry-after-ms and a 500 are tried again by the client until it succeeds."""
    upstream.chat.script(Fail(429, retry_after_ms=1), Fail(500, retry_after_ms=1))
    reply = await model.chat.completions.create(**ASKED)
    tries = [call.headers["x-stainless-retry-count"] for call in upstream.chat.calls]
    assert reply.choices[0].finish_reason == "stop"
    assert tries == ["0", "1", "2"]


async def test_a_rate_limit_that_stays_is_an_error(model, upstream):
    """When the retries are used up, the client raises RateLimitError with both headers."""
    busy = Fail(429, "Slow down.", retry_after=7, retry_after_ms=1)
    with upstream.chat.script(busy, repeat=True), pytest.raises(openai.RateLimitError) as caught:
        await model.chat.completions.create(**ASKED)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.body["message"] == "Slow down."
    assert len(upstream.chat.calls) == 3


async def test_a_stream_that_is_cut_is_a_connection_error(model, upstream):
    """Words that were sent before the cut arrive, then the client reports the connection."""
    upstream.chat.script(Cut(after=2))
    stream = await model.chat.completions.create(**ASKED, stream=True)
    words = []
    with pytest.raises(openai.APIConnectionError):
        await collect(stream, words)
    assert len([word for word in words if word]) == 2


async def test_a_malformed_chunk_is_no_json(model, upstream):
    """A malformed chunk reaches the client after the right ones and fails to decode."""
    upstream.chat.script(Malformed(after=1))
    stream = await model.chat.completions.create(**ASKED, stream=True)
    words = []
    with pytest.raises(json.JSONDecodeError):
        await collect(stream, words)
    assert len([word for word in words if word]) == 1


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (Cut(), openai.APIConnectionError),
        (HangUp(), openai.APIConnectionError),
        (Malformed(), json.JSONDecodeError),
    ],
)
async def test_an_answer_that_is_broken_is_an_error(model, upstream, broken, error):
    """A whole answer that is cut or malformed raises as the real API's would."""
    upstream.chat.script(broken, repeat=True)
    with pytest.raises(error):
        await model.with_options(max_retries=0).chat.completions.create(**ASKED)


async def test_a_connection_may_break_before_the_answer(model, upstream):
    """The client gets no status, tries again, and the next call is answered as usual."""
    upstream.chat.script(HangUp())
    stream = await model.chat.completions.create(**ASKED, stream=True)
    assert await text_of(stream)
    assert [call.state for call in upstream.chat.calls] == [CallState.ANSWERED] * 2


async def test_an_invalid_request_names_its_fault(model):
    """A request without messages is a BadRequestError that names the parameter."""
    with pytest.raises(openai.BadRequestError) as caught:
        await model.chat.completions.create(model="m", messages=[])
    assert caught.value.param == "messages"


async def test_words_can_be_given(model, upstream):
    """A script decides the words, whole and streamed."""
    upstream.chat.script(Say("To", " be"), repeat=True)
    whole = await model.chat.completions.create(**ASKED)
    stream = await model.chat.completions.create(**ASKED, stream=True)
    assert whole.choices[0].message.content == "To be"
    assert await text_of(stream) == "To be"


def test_the_sync_client_works_as_well(upstream):
    """OpenAI's sync client chats, streams, and tries again."""
    upstream.chat.script(Fail(500, retry_after_ms=1))
    with openai.OpenAI(**upstream.openai) as model:
        whole = model.chat.completions.create(**ASKED)
        stream = model.chat.completions.create(**ASKED, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == whole.choices[0].message.content
    assert len(upstream.chat.calls) == 3


async def test_an_unknown_address_is_answered_in_the_same_format(model):
    """A part of the API that is not there is a NotFoundError that names the address."""
    with pytest.raises(openai.NotFoundError, match="/v1/moderations"):
        await model.moderations.create(input="text")
