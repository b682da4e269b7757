"""Reads an OpenAPI document as a client's author does, and says where an app differs from it.

A test asks for an operation by its id, sends requests that are made from the document alone, and
holds the responses to it. The document is read by its meaning: references are followed, parameters
may stand at the path or at the operation, a response may be documented as 404, 4XX or default.

What is wrong with the document is an `AssertionError` with a sentence for the student.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx2
import jsonschema_rs

from autograder.checks.conversation import Client

Json = dict[str, Any]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_IN_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_IN_MAPPINGS = ("properties", "patternProperties", "$defs")
_ALONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains")
_WORDS_ONLY = {"title", "description", "examples", "example", "default", "deprecated", "summary"}
_DEEPEST = 12
"""How far schemas are followed into one another; recursive ones never end."""
_MOST_STEPS = 20_000
"""How many schemas are looked at in all; those that hold each other often never seem to end."""


class Contract:
    """A served OpenAPI document.

    Args:
        document: The document.

    Attributes:
        operations: Everything that can be asked, in the document's order.
    """

    def __init__(self, document: Json) -> None:
        self.document = document
        self._steps = _MOST_STEPS
        self.operations = [
            Operation(self, method, path, item, item[method])
            for path, item in document.get("paths", {}).items()
            for method in _METHODS
            if method in item
        ]

    @classmethod
    async def of(cls, client: Client) -> Contract:
        """Fetch `/openapi.json`."""
        reply = await client.get("/openapi.json")
        assert reply.is_success, f"GET /openapi.json answered {reply.status_code}."
        return cls(reply.json())

    def operation(self, operation_id: str) -> Operation:
        """Return the one operation with an id."""
        found = [one for one in self.operations if one.id == operation_id]
        assert found, f"The document has no operation with the operationId {operation_id!r}."
        assert len(found) == 1, f"{len(found)} operations have the operationId {operation_id!r}."
        return found[0]

    def resolved(self, thing: Any) -> Any:
        """Follow `$ref` until something else comes; what stands beside it is added."""
        beside: Json = {}
        for _ in range(_DEEPEST):
            if not (isinstance(thing, dict) and isinstance(thing.get("$ref"), str)):
                return {**thing, **beside} if beside else thing
            beside = {key: one for key, one in thing.items() if key != "$ref"} | beside
            reference, thing = thing["$ref"], self.document
            assert reference.startswith("#/"), f"The reference {reference} leaves the document."
            for step in reference[2:].split("/"):
                name = unquote(step).replace("~1", "/").replace("~0", "~")
                found = isinstance(thing, dict) and name in thing
                assert found, f"The reference {reference} points to nothing in the document."
                thing = thing[name]
        raise AssertionError("A reference of the document leads back to itself.")

    def _step(self, schema: Any) -> Any:
        """Look at one more schema."""
        self._steps -= 1
        assert self._steps > 0, "The schemas of the document hold each other too often."
        return self.resolved(schema)

    def dead_references(self) -> list[str]:
        """Return the references that point to nothing in the document."""
        dead: set[str] = set()
        rest: list[Any] = [self.document]
        while rest:
            thing = rest.pop()
            if isinstance(thing, dict):
                rest += thing.values()
                if isinstance(thing.get("$ref"), str):
                    try:
                        self.resolved(thing)
                    except AssertionError:
                        dead.add(thing["$ref"])
            elif isinstance(thing, list):
                rest += thing
        return sorted(dead)

    def faults(self, schema: Any, value: Any) -> list[str]:
        """Return what a schema has against a value."""
        whole = {**self.document, "$ref": "#/x-here", "x-here": schema}
        try:
            validator = jsonschema_rs.Draft202012Validator(whole, retriever=_stay_here)
        except jsonschema_rs.ValidationError as error:
            said = f"A schema of the document cannot be read: {error.message[:200]}"
            raise AssertionError(said) from None
        return [
            f"{'.'.join(map(str, fault.instance_path)) or 'the whole'}: {fault.message[:200]}"
            for fault in validator.iter_errors(value)
        ]

    def meaning(self, schema: Any, depth: int = 0) -> Any:
        """Return a schema without references and without words that bind nobody."""
        schema = self._step(schema)
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return schema
        kept: Json = {}
        for key, value in schema.items():
            if key in _IN_MAPPINGS:
                kept[key] = {name: self.meaning(one, depth + 1) for name, one in value.items()}
            elif key in _IN_LISTS:
                kept[key] = [self.meaning(one, depth + 1) for one in value]
            elif key in _ALONE:
                kept[key] = self.meaning(value, depth + 1)
            elif key == "required":
                kept[key] = sorted(value)
            elif key not in _WORDS_ONLY:
                kept[key] = value
        return kept

    def examples(self, schema: Any, where: str, depth: int = 0) -> Iterator[tuple[str, Any, Any]]:
        """Yield each example in a schema: where it stands, the example, the schema it is of."""
        schema = self._step(schema)
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return
        if "example" in schema:
            yield where, schema["example"], schema
        for example in schema.get("examples") or []:
            yield where, example, schema
        for key in _IN_MAPPINGS:
            for name, one in schema.get(key, {}).items():
                yield from self.examples(one, f"{where}.{name}", depth + 1)
        for key in _IN_LISTS:
            for one in schema.get(key, []):
                yield from self.examples(one, where, depth + 1)
        for key in _ALONE:
            yield from self.examples(schema.get(key), f"{where}[]", depth + 1)

    def sample(self, schema: Any, where: str, depth: int = 0) -> Any:
        """Return a value that the document's examples make up, or say where one is missing."""
        schema = self._step(schema)
        deep = depth > _DEEPEST
        assert not deep, f"The document says in a circle what {where} is."
        for key in ("example", "const", "default"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if schema.get(key):
                return schema[key][0]
        for one in (one for key in _IN_LISTS for one in schema.get(key, [])):
            if self.resolved(one).get("type") != "null":
                return self.sample(one, where, depth + 1)
        assert "properties" in schema, f"The document has no example of {where}."
        return {
            name: self.sample(one, f"{where}.{name}", depth + 1)
            for name, one in schema["properties"].items()
            if name in schema.get("required", [])
        }


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation, and where it stands: path, query, header or cookie."""

    name: str
    where: str
    required: bool
    description: str
    schema: Any
    examples: list[Any]


class Operation:
    """One thing that can be asked.

    Attributes:
        id: Its operationId; empty if it has none.
        method: In capitals.
        path: As the document has it.
        own: The operation's object in the document.
    """

    def __init__(self, contract: Contract, method: str, path: str, item: Json, own: Json) -> None:
        self.contract = contract
        self.method, self.path, self.own = method.upper(), path, own
        self.id: str = own.get("operationId", "")
        self.summary: str = own.get("summary", "")
        self.description: str = own.get("description", "")
        self.tags: list[str] = own.get("tags", [])
        self.deprecated: bool = own.get("deprecated", False)
        resolved = contract.resolved
        listed = map(resolved, [*item.get("parameters", []), *own.get("parameters", [])])
        both = {(one["in"], one["name"]): one for one in listed}
        self.parameters = [
            Parameter(
                name,
                where,
                one.get("required", False),
                one.get("description") or resolved(one.get("schema", {})).get("description", ""),
                one.get("schema", {}),
                _values(contract, one),
            )
            for (where, name), one in both.items()
        ]

    def parameter(self, name: str) -> Parameter:
        """Return the query parameter of a name."""
        found = [one for one in self.parameters if (one.name, one.where) == (name, "query")]
        assert found, f"The document knows no query parameter {name!r} of {self.id}."
        return found[0]

    def content(self, status: int) -> Json | None:
        """Return what the document says of a response: its media types; None if it has none."""
        responses = self.own.get("responses", {})
        for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if key in responses:
                content: Json = self.contract.resolved(responses[key]).get("content", {})
                return content
        return None

    def response_schema(self, status: int) -> Any:
        """Return the schema of a JSON response."""
        content = self.content(status)
        assert content is not None, f"The document does not say that {self.id} answers {status}."
        assert content, f"The document says nothing of the body of {self.id}'s {status}."
        found = [one for media, one in content.items() if media == "*/*" or "json" in media]
        assert found, f"The document knows no JSON body of {self.id}'s {status}."
        return found[0].get("schema", {})

    def body(self) -> tuple[str, Json]:
        """Return the media type and the description of the JSON body that a request has."""
        content = self.contract.resolved(self.own.get("requestBody", {})).get("content", {})
        for media, one in content.items():
            if "json" in media:
                return media, one
        raise AssertionError(f"The document knows no JSON body of the requests of {self.id}.")

    def body_schema(self) -> Any:
        """Return the schema of a request's JSON body."""
        return self.body()[1].get("schema", {})

    def sample(self) -> Any:
        """Return a body as the document's examples have it."""
        one = self.body()[1]
        for value in _values(self.contract, one):
            return value
        return self.contract.sample(one.get("schema", {}), f"the body of {self.id}")

    def examples(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield each example of the operation: where it stands, the example, its schema."""
        contract = self.contract
        for parameter in self.parameters:
            where = f"{self.id}: {parameter.name}"
            for example in parameter.examples:
                yield where, example, parameter.schema
            yield from contract.examples(parameter.schema, where)
        contents = [("the request", contract.resolved(self.own.get("requestBody", {})))]
        contents += [
            (f"the response {status}", contract.resolved(one))
            for status, one in self.own.get("responses", {}).items()
        ]
        for what, holder in contents:
            for one in holder.get("content", {}).values():
                where, schema = f"{self.id}: {what}", one.get("schema", {})
                for example in _values(contract, one):
                    yield where, example, schema
                yield from contract.examples(schema, where)

    def url(self, *values: Any, query: Mapping[str, Any] | None = None) -> str:
        """Return the path of a request, with its path parameters in order, and its query."""
        names = [one.name for one in self.parameters if one.where == "path"]
        assert len(names) == len(values), (
            f"{self.id} has {len(names)} path parameters in the document, not {len(values)}."
        )
        names.sort(key=lambda name: self.path.find(f"{{{name}}}"))
        servers = self.contract.document.get("servers") or [{}]
        path = urlsplit(servers[0].get("url", "")).path.rstrip("/") + self.path
        for name, value in zip(names, values, strict=True):
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        for name in query or {}:
            self.parameter(name)
        return f"{path}?{httpx2.QueryParams(query)}" if query else path

    async def ask(
        self,
        client: Client,
        *values: Any,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> httpx2.Response:
        """Send a request that is made from the document, and return the response.

        Args:
            client: Who sends it.
            *values: The path parameters, in the order of the path.
            query: Query parameters; the document must know them.
            body: The JSON body.
        """
        url = self.url(*values, query=query)
        if body is None:
            return await client.request(self.method, url)
        headers = {"Content-Type": self.body()[0]}
        content = httpx2.Request("POST", "http://x", json=body).content
        return await client.request(self.method, url, content=content, headers=headers)

    def complaints(self, reply: httpx2.Response) -> list[str]:
        """Return in what a response differs from what the document says of it."""
        content = self.content(reply.status_code)
        if content is None:
            return [f"The document does not say that {self.id} answers {reply.status_code}."]
        if not reply.content:
            return [f"{self.id} answered without a body."] if content else []
        media = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        kind = f"{media.partition('/')[0]}/*"
        for name in (media, kind, "*/*"):
            if name in content:
                value = reply.json() if "json" in media else reply.text
                return self.contract.faults(content[name].get("schema", {}), value)
        known = ", ".join(content) or "no body"
        return [f"{self.id} answered {reply.status_code} with {media}; the document says: {known}."]


def _values(contract: Contract, holder: Json) -> list[Any]:
    """Return the examples of a parameter or of a body: the single one, and the named ones."""
    single = [holder["example"]] if "example" in holder else []
    named = holder.get("examples") or {}
    found = [contract.resolved(one) for one in named.values()]
    return single + [one["value"] for one in found if "value" in one]


def _stay_here(uri: str) -> Any:
    """Fetch nothing: a document speaks for itself."""
    raise LookupError(f"{uri} is outside of the document")
