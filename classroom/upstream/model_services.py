"""The model provider's other services: embeddings, and the list of models."""

from __future__ import annotations

import base64
import sys
from array import array
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError
from typing_extensions import override

from classroom.upstream.answer import Answer, json_answer
from classroom.upstream.behaviour import Fail
from classroom.upstream.language import tokens_of, vector
from classroom.upstream.openai_wire import (
    CREATED,
    MAX_NUMBERS,
    EmbeddingRequest,
    error,
    refusal,
    usage,
)
from classroom.upstream.service import Service

if TYPE_CHECKING:
    from classroom.upstream.call import Call

DIMENSIONS = 256
MAX_TEXT = 2**18
"""Characters of all texts of one request."""
MODELS = ("desk-small", "desk-large", "desk-embed")
"""The models that are listed; any other name is answered as well."""


class Embeddings(Service):
    """Vectors behind `/v1/embeddings`: texts that share words point alike."""

    name = "embeddings"
    title = "the embeddings service"
    paths: ClassVar = {"/v1/embeddings": ["POST"]}

    @override
    def answer(self, call: Call) -> Answer:
        try:
            request = EmbeddingRequest.model_validate(call.json)
        except ValidationError as problem:
            return refusal(problem)
        texts = request.texts
        if not all(texts):
            return error(Fail(400, "'input' must not be an empty string."), param="input")
        dimensions = request.dimensions or DIMENSIONS
        if len(texts) * dimensions > MAX_NUMBERS or sum(map(len, texts)) > MAX_TEXT:
            return error(Fail(400, "'input' is too long: send it in parts."), param="input")
        vectors = [vector(text, dimensions) for text in texts]
        wanted = _base64 if request.encoding_format == "base64" else list
        data = [
            {"object": "embedding", "index": place, "embedding": wanted(numbers)}
            for place, numbers in enumerate(vectors)
        ]
        read = usage(sum(len(tokens_of(text)) for text in texts), 0)
        del read["completion_tokens"]
        return json_answer({"object": "list", "data": data, "model": request.model, "usage": read})

    @override
    def failure(self, fail: Fail) -> Answer:
        return error(fail)


class Models(Service):
    """The list of models behind `/v1/models`."""

    name = "models"
    title = "the list of models"
    paths: ClassVar = {"/v1/models": ["GET"], "/v1/models/{model}": ["GET"]}

    @override
    def answer(self, call: Call) -> Answer:
        wanted = call.parameters.get("model")
        if wanted is None:
            return json_answer({"object": "list", "data": [_card(model) for model in MODELS]})
        if wanted in MODELS:
            return json_answer(_card(wanted))
        return error(Fail(404, f"The model '{wanted}' does not exist."), param="model")

    @override
    def failure(self, fail: Fail) -> Answer:
        return error(fail)


def _card(model: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": CREATED, "owned_by": "classroom"}


def _base64(numbers: list[float]) -> str:
    packed = array("f", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode()
