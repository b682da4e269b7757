"""What a document says, read by its meaning, and what an app does beside it."""

import copy

import httpx2
import pytest

from autograder.checks.contract import Contract

PET = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {
        "name": {"type": "string", "examples": ["Tam"]},
        "age": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 0, "example": 3}]},
        "note": {"type": "string"},
    },
}
NUMBER = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://pets.example/api/"}],
    "paths": {
        "/pets/{number}": {
            "parameters": [{"$ref": "#/components/parameters/Number"}],
            "put": {
                "operationId": "keep",
                "summary": "Keep a pet",
                "tags": ["pets"],
                "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                    }
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                        }
                    },
                    "203": {"content": {"text/plain": {"schema": {"type": "string"}}}},
                    "204": {"description": "Nothing."},
                    "4XX": {"$ref": "#/components/responses/Problem"},
                },
            },
        }
    },
    "components": {
        "parameters": {"Number": NUMBER | {"description": "Which."}},
        "schemas": {"Pet": PET},
        "responses": {
            "Problem": {
                "content": {"application/problem+json": {"schema": {"required": ["title"]}}}
            }
        },
    },
}


@pytest.fixture
def document():
    """Return a document that a test may change."""
    return copy.deepcopy(DOCUMENT)


@pytest.fixture
def keep(document):
    """Return the operation of the document."""
    return Contract(document).operation("keep")


def test_parameters_of_path_and_operation_are_one_list(keep):
    """A parameter may stand at the path, and in components."""
    assert [(one.name, one.where) for one in keep.parameters] == [
        ("number", "path"),
        ("dry", "query"),
    ]
    assert keep.parameters[0].description == "Which."


def test_a_url_has_the_servers_path_and_quoted_values(keep):
    """The path of the first server comes first; values are quoted."""
    url = keep.url("a/b", query={"dry": "x & y"})
    assert url.startswith("/api/pets/a%2Fb?dry=x")
    assert "&" not in url.partition("?")[2]


def test_what_the_document_does_not_know_cannot_be_asked(keep):
    """An unknown query parameter, a missing path parameter, an unknown operation."""
    with pytest.raises(AssertionError, match="no query parameter 'wet'"):
        keep.url(1, query={"wet": 1})
    with pytest.raises(AssertionError, match="1 path parameters"):
        keep.url()
    with pytest.raises(AssertionError, match="no operation with the operationId 'lose'"):
        keep.contract.operation("lose")


def test_an_operation_id_that_occurs_twice_is_none(document):
    """A client has no two functions of a name."""
    item = document["paths"]["/pets/{number}"]
    item["delete"] = item["put"]
    with pytest.raises(AssertionError, match="2 operations"):
        Contract(document).operation("keep")


def test_a_sample_is_made_of_examples(keep, document):
    """Of each required field, also below anyOf; a whole example comes first."""
    assert keep.sample() == {"name": "Tam", "age": 3}
    document["components"]["schemas"]["Pet"]["examples"] = [{"name": "Ida", "age": None}]
    assert keep.sample() == {"name": "Ida", "age": None}
    media = document["paths"]["/pets/{number}"]["put"]["requestBody"]["content"]
    media["application/json"]["examples"] = {"one": {"value": {"name": "Bo", "age": 1}}}
    assert keep.sample() == {"name": "Bo", "age": 1}


def test_a_missing_example_is_named(document):
    """The sentence says of which field."""
    del document["components"]["schemas"]["Pet"]["properties"]["name"]["examples"]
    with pytest.raises(AssertionError, match=r"no example of the body of keep\.name"):
        Contract(document).operation("keep").sample()


def test_every_example_is_found_with_its_schema(keep):
    """In bodies and responses, through references and anyOf."""
    found = list(keep.examples())
    assert [example for _, example, _ in found] == ["Tam", 3, "Tam", 3]
    assert not [one for _, one, schema in found if keep.contract.faults(schema, one)]
    assert found[0][0] == "keep: the request.name"


def test_what_stands_beside_a_reference_counts(document):
    """A field that refers to a model may have an example and words of its own."""
    properties = document["components"]["schemas"]["Pet"]["properties"]
    document["components"]["schemas"]["Name"] = properties["name"]
    properties["name"] = {"$ref": "#/components/schemas/Name", "examples": ["Uli"]}
    assert Contract(document).operation("keep").sample() == {"name": "Uli", "age": 3}


def test_a_schema_without_its_words_is_what_binds(keep):
    """References are followed; titles and examples are left out."""
    meaning = keep.contract.meaning(keep.body_schema())
    assert meaning["properties"]["name"] == {"type": "string"}
    assert meaning["required"] == ["age", "name"]


def reply(status, media="application/json", **body):
    """Return a response."""
    return httpx2.Response(status, headers={"content-type": media}, **body)


@pytest.mark.parametrize(
    ("got", "complaint"),
    [
        (reply(200, json={"name": "Tam", "age": 1}), ""),
        (reply(204), ""),
        (reply(203, "text/plain", text="Tam"), ""),
        (reply(404, "application/problem+json", json={"title": "No"}), ""),
        (reply(200, json={"name": "Tam", "age": -1}), "age: "),
        (reply(200, json={"name": "Tam"}), '"age" is a required property'),
        (reply(200), "without a body"),
        (reply(204, "text/plain", text="x"), "with text/plain; the document says: no body"),
        (reply(404, json={"title": "No"}), "the document says: application/problem+json"),
        (reply(404, "application/problem+json", json={}), '"title" is a required property'),
        (reply(500, json={}), "does not say that keep answers 500"),
    ],
)
def test_a_response_is_held_to_the_document(keep, got, complaint):
    """Its status, media type and body."""
    complaints = keep.complaints(got)
    assert complaint in " ".join(complaints)
    assert bool(complaints) == bool(complaint)


def test_references_that_lead_nowhere(document):
    """They are listed, and a schema with one cannot be used."""
    assert Contract(document).dead_references() == []
    schema = {"anyOf": [{"$ref": "#/$defs/Gone"}]}
    document["components"]["schemas"]["Lost"] = schema
    contract = Contract(document)
    assert contract.dead_references() == ["#/$defs/Gone"]
    with pytest.raises(AssertionError, match="cannot be read"):
        contract.faults(schema, {})


def test_nothing_is_fetched(document):
    """A reference to another address is refused, not followed."""
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    with pytest.raises(AssertionError):
        Contract(document).faults(schema, {})
    with pytest.raises(AssertionError, match="leaves the document"):
        Contract(document).resolved(schema)


def test_schemas_that_hold_themselves_end(document):
    """A recursive model has a meaning and examples."""
    document["components"]["schemas"]["Pet"]["properties"]["child"] = {
        "$ref": "#/components/schemas/Pet"
    }
    contract = Contract(document)
    keep = contract.operation("keep")
    assert contract.meaning(keep.body_schema())
    assert list(keep.examples())
    circle = {"$ref": "#/components/schemas/Circle"}
    document["components"]["schemas"]["Circle"] = circle
    with pytest.raises(AssertionError, match="back to itself"):
        contract.resolved(circle)


def test_schemas_that_hold_each_other_often_end(document):
    """Twelve levels of nine would be more than anybody waits for."""
    names = [f"field{number}" for number in range(9)]
    again = {"$ref": "#/components/schemas/Many"}
    document["components"]["schemas"]["Many"] = {
        "properties": dict.fromkeys(names, again),
        "required": names,
    }
    for read in ("meaning", "examples", "sample"):
        contract = Contract(document)
        arguments = [again] if read == "meaning" else [again, "it"]
        with pytest.raises(AssertionError, match=r"too often|in a circle"):
            list(getattr(contract, read)(*arguments))
