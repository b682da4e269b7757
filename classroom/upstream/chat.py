"""The language model: chat completions, whole and streamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError
from typing_extensions import override

from classroom.upstream.answer import Answer, json_answer
from classroom.upstream.behaviour import Fail
from classroom.upstream.language import (
    Dice,
    UnusableSchemaError,
    example_of,
    reply,
    tokens_of,
)
from classroom.upstream.openai_wire import CREATED, ChatRequest, error, event, refusal, usage
from classroom.upstream.service import Service
from classroom.upstream.token_gate import TokenGate

if TYPE_CHECKING:
    from classroom.upstream.call import About, Call

_NOT_PART_OF_THE_QUESTION = {"stream", "stream_options", "max_tokens", "max_completion_tokens"}


@dataclass(frozen=True)
class Completion:
    """What the model says: text, or the arguments of a tool that it calls."""

    id: str
    request: ChatRequest
    tokens: Iterable[str]
    tool: str = ""
    was_cut: bool = False

    @property
    def finish_reason(self) -> str:
        """Why it ends."""
        if self.was_cut:
            return "length"
        return "tool_calls" if self.tool else "stop"

    def usage(self, sent: int) -> dict[str, int]:
        """Return the usage for an answer of `sent` tokens."""
        read = sum(len(tokens_of(message.text)) for message in self.request.messages)
        return usage(read, sent)

    def tool_call(self, arguments: str) -> dict[str, Any]:
        """Return the call of the tool with these arguments."""
        return {
            "id": f"call_{self.id[-12:]}",
            "type": "function",
            "function": {"name": self.tool, "arguments": arguments},
        }


class Chat(Service):
    """A deterministic model behind `/v1/chat/completions`."""

    name = "chat"
    title = "the chat service"
    paths: ClassVar = {"/v1/chat/completions": ["POST"]}

    def hold_tokens(
        self, *tokens: str, about: About = None, endless: bool = False, silent: bool = False
    ) -> TokenGate:
        """Return a gate that holds every token of the streams that begin now.

        Args:
            tokens: What to say in these streams instead of the model's own words.
            about: Only streams that mention this text, or that this function picks.
            endless: Say the tokens again and again until the gate is opened.
            silent: Send nothing at all before the first token, not even the status.
        """
        return TokenGate(
            board=self._board,
            gates=self._gates,
            wants=self._mine(about),
            name=self.title,
            tokens=tokens,
            endless=endless,
            silent=silent,
        )

    @override
    def answer(self, call: Call) -> Answer:
        try:
            request = ChatRequest.model_validate(call.json)
        except ValidationError as problem:
            return refusal(problem)
        try:
            return _worded(_complete(request))
        except UnusableSchemaError as problem:
            return error(Fail(400, f"Invalid schema: {problem}"), param="response_format")

    @override
    def say(self, call: Call, tokens: Iterable[str]) -> Answer:
        try:
            request = ChatRequest.model_validate(call.json)
        except ValidationError as problem:
            return refusal(problem)
        return _worded(Completion(_dice(request).digest[:24], request, tokens))

    @override
    def failure(self, fail: Fail) -> Answer:
        return error(fail)


def _dice(request: ChatRequest) -> Dice:
    return Dice(request.model_dump(mode="json", exclude=_NOT_PART_OF_THE_QUESTION))


def _complete(request: ChatRequest) -> Completion:
    dice = _dice(request)
    said = [message.text for message in request.messages if message.role == "user"]
    question = said[-1] if said else ""
    words = [word for word in re.findall(r"\w+", question) if len(word) > 2]  # noqa: PLR2004
    tool = _wanted_tool(request, question)
    schema = _wanted_schema(request)
    if tool:
        parameters = next(
            (t.function.parameters for t in request.tools if t.function.name == tool), {}
        )
        # What names the tool is not what it is asked about.
        words = [word for word in words if word.lower() not in tool.lower().split("_")]
        text = json.dumps(example_of({"type": "object", **parameters}, dice, words))
    elif schema:
        text = json.dumps(example_of(schema, dice, words))
    elif request.response_format and request.response_format.get("type") == "json_object":
        text = json.dumps({"answer": reply(question, dice)})
    else:
        text = reply(question, dice)
    tokens = tokens_of(text)
    kept = tokens[: request.limit]
    return Completion(dice.digest[:24], request, kept, tool=tool, was_cut=len(kept) < len(tokens))


def _wanted_schema(request: ChatRequest) -> dict[str, Any] | None:
    """Return the schema that the answer is to fit."""
    told = (request.response_format or {}).get("json_schema")
    schema = told.get("schema") if isinstance(told, dict) else None
    if schema is not None and not isinstance(schema, dict):
        raise UnusableSchemaError("it is no JSON object.")
    return schema


def _wanted_tool(request: ChatRequest, question: str) -> str:
    """Return the tool to call: the demanded one, or the one that the question names."""
    names = [tool.function.name for tool in request.tools]
    if not names or request.tool_choice == "none" or request.messages[-1].role == "tool":
        return ""
    if isinstance(request.tool_choice, dict):
        return str(request.tool_choice.get("function", {}).get("name", ""))
    named = next((n for n in names if n in question or n.replace("_", " ") in question), "")
    return named or (names[0] if request.tool_choice == "required" else "")


def _worded(completion: Completion) -> Answer:
    return _streamed(completion) if completion.request.stream else _whole(completion)


def _whole(completion: Completion) -> Answer:
    # An endless text has no whole; nobody waits for more than this.
    tokens = list(islice(completion.tokens, 10_000))
    text = "".join(tokens)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if completion.tool:
        message |= {"content": None, "tool_calls": [completion.tool_call(text)]}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": completion.finish_reason,
    }
    head = _head(completion, "chat.completion")
    return json_answer({**head, "choices": [choice], "usage": completion.usage(len(tokens))})


def _streamed(completion: Completion) -> Answer:
    chunk = partial(_chunk, completion)
    first: dict[str, Any] = {"role": "assistant", "content": ""}
    if completion.tool:
        call = {"index": 0, **completion.tool_call("")}
        first |= {"content": None, "tool_calls": [call]}

    def closing(sent: int) -> bytes:
        parts = [chunk({}, completion.finish_reason)]
        if completion.request.wants_usage:
            head = _head(completion, "chat.completion.chunk")
            parts.append(event({**head, "choices": [], "usage": completion.usage(sent)}))
        return b"".join([*parts, b"data: [DONE]\n\n"])

    return Answer(
        headers={"content-type": "text/event-stream", "cache-control": "no-cache"},
        opening=chunk(first),
        tokens=_chunks(completion),
        closing=closing,
    )


def _chunks(completion: Completion) -> Iterator[bytes]:
    for token in completion.tokens:
        if completion.tool:
            piece = {"index": 0, "function": {"arguments": token}}
            yield _chunk(completion, {"tool_calls": [piece]})
        else:
            yield _chunk(completion, {"content": token})


def _chunk(completion: Completion, delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = _head(completion, "chat.completion.chunk")
    if completion.request.wants_usage:
        head["usage"] = None
    return event({**head, "choices": [choice]})


def _head(completion: Completion, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{completion.id}",
        "object": kind,
        "created": CREATED,
        "model": completion.request.model,
        "system_fingerprint": "fp_local",
    }
