"""OpenAI's wire format: requests as they come, answers as the real API words them."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from classroom.upstream.answer import Answer, json_answer
from classroom.upstream.behaviour import Fail

T = TypeVar("T")

CREATED = 1_767_225_600
"""The time in every answer (start of 2026): the same request gets the same bytes."""

_KINDS = {
    400: ("invalid_request_error", None, "Your request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "insufficient_permissions", "You may not do this."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit reached for requests."),
}
_OTHER = ("server_error", None, "The server had an error while processing your request.")


MAX_ITEMS = 2_048
"""Inputs of one embedding request, as the real API has it, and items of any other list."""
MAX_NUMBERS = 2**18
"""Numbers in the vectors of one answer: 1,024 texts of the usual length."""
Many = Annotated[T, Field(max_length=MAX_ITEMS)]
"""A list of bounded length: a fault of every item is a line in the refusal."""


class Wire(BaseModel):
    """A part of a request; what is not named here is accepted and changes the words."""

    model_config = ConfigDict(extra="allow")


class Message(Wire):
    """One message of a conversation."""

    role: str
    content: str | Many[list[dict[str, Any]]] | None = None

    @property
    def text(self) -> str:
        """Its text, also where it comes in parts."""
        if isinstance(self.content, list):
            return " ".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class Function(Wire):
    """A function that the model may ask for."""

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class Tool(Wire):
    """A tool that the model may call."""

    function: Function


class StreamOptions(Wire):
    """How to stream."""

    include_usage: bool = False


class ChatRequest(Wire):
    """The body of `POST /v1/chat/completions`."""

    model: str = Field(min_length=1)
    messages: Many[list[Message]] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, ge=1, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: Many[list[Tool]] = []
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None

    @property
    def limit(self) -> int | None:
        """How many tokens the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class EmbeddingRequest(Wire):
    """The body of `POST /v1/embeddings`."""

    model: str = Field(min_length=1)
    input: str | Many[list[str]] | Many[list[int]] | Many[list[Many[list[int]]]] = Field(
        min_length=1
    )
    dimensions: int | None = Field(default=None, ge=1, le=4096)
    encoding_format: str = Field(default="float", pattern="^(float|base64)$")

    @field_validator("input", mode="before")
    @classmethod
    def _is_plain(cls, value: object) -> object:
        """Refuse at the first fault what would have hundreds of thousands of them."""
        lists = (
            [part for part in value if isinstance(part, list)] if isinstance(value, list) else []
        )
        if not all(isinstance(token, int) for part in lists for token in part):
            raise ValueError("a list of lists holds token numbers")
        return value

    @property
    def texts(self) -> list[str]:
        """The inputs as texts; token numbers are written out."""
        if isinstance(self.input, str):
            return [self.input]
        numbers = [str(token) for token in self.input if isinstance(token, int)]
        if numbers:
            return [" ".join(numbers)]
        return [text if isinstance(text, str) else str(text) for text in self.input]


def error(fail: Fail, *, param: str | None = None) -> Answer:
    """Return an error as OpenAI's API words it."""
    kind, code, message = _KINDS.get(fail.status, _OTHER)
    body = {"message": fail.message or message, "type": kind, "param": param, "code": code}
    return json_answer({"error": body}, status=fail.status, headers=fail.headers)


def refusal(problem: ValidationError) -> Answer:
    """Return the error for a request that does not fit."""
    first = problem.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return error(Fail(400, f"Invalid value for '{where}': {first['msg']}."), param=where or None)


def usage(prompt: int, completion: int) -> dict[str, int]:
    """Return how many tokens were read and written."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def event(value: Any) -> bytes:
    """Return one server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
