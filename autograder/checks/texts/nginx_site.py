"""Reads a site of nginx as nginx does: what a place does with a request.

A *place* is a `location`, or a `server` outside its locations. `Place.value` finds the directive
that applies there, an outer one if the place has none; `Place.headers` says what the app gets,
with the values of `map` and `set` for one request. Not evaluated are `include`, `if`, `rewrite` and
`try_files`: `Site.named` finds them, so that a check can refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from autograder.checks.texts.bounds import DEEPEST, MOST_VALUES, Refused, bounded, searchable

NOT_EVALUATED = ("include", "if", "rewrite", "try_files")
"""Directives whose effect is not known here."""

_WORD = re.compile(
    r"""\#[^\n]*                        # a comment
    |"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'  # quoted
    |[{};]
    |(?:\$\{\w+\}|\\.|[^\s{};])+""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}
_SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SECONDS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SECONDS |= {"M": 30 * 86400, "y": 365 * 86400}
_NOT_PASSED = {"connection", "upgrade", "keep-alive", "host", "te", "transfer-encoding", "expect"}
"""Headers of the client that nginx does not pass on by itself."""
_DEPTH = 8


@dataclass(frozen=True)
class Visitor:
    """One request, as a client sends it.

    Attributes:
        headers: Its headers, by names in small letters.
        address: Where the client is.
        scheme: Over which scheme it speaks to nginx.
        path: The path and query, as it stands in the request's first line.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = "203.0.113.7"
    scheme: str = "http"
    path: str = "/"


@dataclass(frozen=True)
class Directive:
    """One directive.

    Attributes:
        name: Its first word.
        words: Its other words, without quotes.
        inside: The directives between its braces; None if it has no braces.
    """

    name: str
    words: tuple[str, ...]
    inside: tuple[Directive, ...] | None = None


def parsed(text: str) -> tuple[Directive, ...]:
    """Return the directives of a file.

    Raises:
        Refused: A semicolon or a brace is missing or too many, or it is too large to be read.
    """
    bounded(text, "The site")
    levels: list[list[Directive]] = [[]]
    opened: list[list[str]] = []
    line: list[str] = []
    for word in _WORD.findall(text):
        if word.startswith("#"):
            continue
        if word == ";":
            _must(line, "there is a `;` too many.")
            levels[-1].append(Directive(line[0], tuple(line[1:])))
            line = []
        elif word == "{":
            _must(line, "a `{` stands alone.")
            _must(len(opened) < DEEPEST, "its blocks stand too deep inside each other.")
            opened.append(line)
            levels.append([])
            line = []
        elif word == "}":
            _must(opened, "there is a `}` too many.")
            _must(not line, f"no `;` after `{' '.join(line)}`.")
            name, *words = opened.pop()
            inside = tuple(levels.pop())
            levels[-1].append(Directive(name, tuple(words), inside))
        else:
            line.append(_plain(word))
    _must(not opened, "a `}` is missing.")
    _must(not line, f"no `;` after `{' '.join(line)}`.")
    return tuple(levels[0])


def _must(fact: object, sentence: str) -> None:
    if not fact:
        raise Refused(f"nginx would refuse the file: {sentence}")


def _plain(word: str) -> str:
    """Return a word without its quotes and escapes."""
    if word[0] in "\"'":
        word = word[1:-1]
    return re.sub(r"\\([\"'\\trn])", lambda found: _ESCAPES.get(found[1], found[1]), word)


def size(text: str) -> int:
    """Return a size in bytes, such as `6m`."""
    found = re.fullmatch(r"(\d+)([kmg]?)", text.lower())
    if found is None:
        raise Refused(f"nginx would refuse the file: `{text}` is not a size.")
    return int(found[1]) * _SIZES[found[2]]


def seconds(text: str) -> float:
    """Return a time in seconds, such as `5m30s`."""
    if not re.fullmatch(r"(?=.)(?:\d+(?:ms|[smhdwMy])\s*)*(?:\d+)?", text):
        raise Refused(f"nginx would refuse the file: `{text}` is not a time.")
    return sum(
        int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwMy]?)", text)
    )


def normalised(path: str) -> str:
    """Return a path as nginx compares it: without the query, decoded, each slash once."""
    return re.sub(r"/+", "/", unquote(path.partition("?")[0]))


class Site:
    """A file that stands inside `http { }`.

    Args:
        text: The file.

    Raises:
        Refused: It is no file of nginx.
    """

    def __init__(self, text: str) -> None:
        self.directives = parsed(text)
        self.looked_up = 0
        """Variables that were looked up for the text that is being expanded."""
        self.servers = tuple(
            Place(self, (one.inside, self.directives), ("",))
            for one in self.directives
            if one.name == "server" and one.inside is not None
        )

    @property
    def places(self) -> tuple[Place, ...]:
        """All locations of all servers."""
        return tuple(place for server in self.servers for place in server.locations())

    def named(self, *names: str) -> list[Directive]:
        """Return the directives of these names, wherever they stand."""
        return [one for one in _all(self.directives) if one.name in names]

    def addresses(self, name: str) -> list[str]:
        """Return where an `upstream` of that name leads; without one, the name itself."""
        for one in self.directives:
            if one.name == "upstream" and one.words == (name,):
                return [line.words[0] for line in one.inside or () if line.name == "server"]
        return [name]

    def has_upstream(self, name: str) -> bool:
        """Whether there is an `upstream` of that name."""
        return any(one.name == "upstream" and one.words == (name,) for one in self.directives)

    def map_of(self, variable: str) -> Directive | None:
        """Return the `map` that makes a variable."""
        made = f"${variable}"
        return next(
            (
                one
                for one in self.directives
                if one.name == "map" and len(one.words) == 2 and _bare(one.words[1]) == made  # noqa: PLR2004
            ),
            None,
        )


@dataclass(frozen=True)
class Place:
    """Where a request is answered.

    Attributes:
        site: The whole file.
        levels: The directives that stand here, and those around them, from the inside out.
        words: The words of the `location`; of a `server`, one empty word.
    """

    site: Site
    levels: tuple[tuple[Directive, ...], ...]
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"location {' '.join(self.words)}" if any(self.words) else "server"

    # What applies here

    def own(self, name: str) -> list[tuple[str, ...]]:
        """Return the words of each directive of that name that stands at this place itself."""
        return [one.words for one in self.levels[0] if one.name == name]

    def nearest(self, name: str) -> list[tuple[str, ...]]:
        """Return the words of each directive of that name on the innermost level that has one."""
        for level in self.levels:
            if found := [one.words for one in level if one.name == name]:
                return found
        return []

    def value(self, name: str, default: str) -> str:
        """Return the first word of the directive that applies here."""
        found = self.nearest(name)
        return found[-1][0] if found and found[-1] else default

    def everywhere(self, name: str) -> list[tuple[str, ...]]:
        """Return the words of each directive of that name, here and around."""
        return [one.words for level in self.levels for one in level if one.name == name]

    # Which place it is

    @property
    def server(self) -> Place:
        """The server that this place belongs to."""
        return Place(self.site, self.levels[-2:], ("",))

    @property
    def is_named(self) -> bool:
        """Whether only nginx itself leads here: `location @name`, or `internal`."""
        return self.words[0].startswith("@") or bool(self.own("internal"))

    def inner(self) -> list[Place]:
        """Return the locations that stand directly inside."""
        return [
            Place(self.site, (one.inside, *self.levels), one.words or ("",))
            for one in self.levels[0]
            if one.name == "location" and one.inside is not None
        ]

    def locations(self) -> Iterator[Place]:
        """Return all locations inside, also those of locations."""
        for place in self.inner():
            yield place
            yield from place.locations()

    def place_for(self, path: str) -> Place:
        """Return where nginx answers a path: here, or in a location inside.

        An exact location wins, then the longest prefix with `^~`, then the first regular
        expression, then the longest prefix.
        """
        plain = normalised(path)
        inner = [place for place in self.inner() if not place.words[0].startswith("@")]
        for place in inner:
            if place.words[0] == "=" and place.words[-1] == plain:
                return place
        prefixes = [place for place in inner if place.is_prefix and plain.startswith(place.prefix)]
        longest = max(prefixes, key=lambda place: len(place.prefix), default=None)
        if longest is not None and (deeper := longest.place_for(path)) is not longest:
            if deeper.words[0] in ("~", "~*", "="):
                return deeper
            longest = deeper
        if longest is None or longest.words[0] != "^~":
            for place in inner:
                if place.matches(plain):
                    return place.place_for(path)
        return longest or self

    @property
    def is_prefix(self) -> bool:
        """Whether it is a location for all paths that begin in the same way."""
        return self.words[0] == "^~" or self.words[0].startswith("/")

    @property
    def prefix(self) -> str:
        """How these paths begin."""
        return self.words[-1]

    def matches(self, path: str) -> bool:
        """Whether it is a location with a regular expression that finds something in the path."""
        kind, *rest = self.words
        if kind not in ("~", "~*") or not rest:
            return False
        return _finds(rest[-1], path, ignores_case=kind == "~*") is not None

    # What becomes of a request

    def end(self) -> Place:
        """Return the place that answers: this one, or where `return` and `error_page` lead."""
        code = self.returned
        for words in self.nearest("error_page") if code else []:
            if code in words[:-1] and words[-1].startswith("@"):
                for place in self.server.inner():
                    if place.words[0] == words[-1] and place.words != self.words:
                        return place
        return self

    @property
    def returned(self) -> str:
        """The status that a `return` here, or one of the whole server, gives."""
        found = [words for words in (*self.server.own("return"), *self.own("return")) if words]
        return found[0][0] if found and not self.is_named else ""

    @property
    def answers_itself(self) -> str:
        """Why a request that comes here does not reach an app; empty if it does."""
        end = self.end()
        if code := end.returned:
            return f"`return {code}` answers in place of the app."
        for name in ("deny", "auth_basic", "auth_request", "limit_except"):
            if end.value(name, "off") != "off":
                return f"`{name}` refuses requests."
        if not end.own("proxy_pass"):
            return "it has no `proxy_pass`."
        return ""

    @property
    def _written(self) -> str:
        """What `proxy_pass` says at this place."""
        given = self.own("proxy_pass")
        return given[-1][0] if given and given[-1] else ""

    def target(self, visitor: Visitor) -> tuple[str, str, str]:
        """Return the scheme, the name and the path of `proxy_pass` for a request."""
        scheme, _, rest = self.expanded(self._written, visitor).partition("://")
        name, slash, path = rest.partition("/")
        return scheme, name, slash + path

    def leads_to(self, visitor: Visitor) -> list[str]:
        """Return the addresses that a request is passed on to."""
        scheme, name, _ = self.target(visitor)
        return [f"{scheme}://{where}" for where in self.site.addresses(name)]

    def lacks_resolver(self, visitor: Visitor) -> bool:
        """Whether nginx could not look the app's name up, because it stands in a variable."""
        known = self.site.has_upstream(self.target(visitor)[1])
        return "$" in self._written and not known and not self.nearest("resolver")

    def passed_path(self, visitor: Visitor) -> str:
        """Return the path that the app gets."""
        path = self.target(visitor)[2]
        if not path:
            return visitor.path
        if "$" in self._written:
            return path
        plain, question, query = visitor.path.partition("?")
        return path + normalised(plain).removeprefix(self.prefix) + question + query

    def headers(self, visitor: Visitor) -> dict[str, list[str]]:
        """Return the headers that the app gets for a request, by names in small letters."""
        sent = {name: [value] for name, value in visitor.headers.items() if name not in _NOT_PASSED}
        sent["host"] = [self.target(visitor)[1]]
        given = [words for words in self.nearest("proxy_set_header") if words]
        for words in given:
            sent[words[0].lower()] = []
        for words in given:
            if value := self.expanded(" ".join(words[1:]), visitor):
                sent[words[0].lower()].append(value)
        return sent

    @property
    def collects_events(self) -> bool:
        """Whether nginx compresses Server-Sent Events, and keeps them until there are enough."""
        types = {word.lower() for words in self.nearest("gzip_types") for word in words}
        packs = self.value("gzip", "off") == "on" and bool(types & {"text/event-stream", "*"})
        return packs and self.value("proxy_buffering", "on") != "off"

    @property
    def believes(self) -> str:
        """The header from which nginx takes the client's address; empty if it takes none."""
        header = self.value("real_ip_header", "X-Real-IP")
        trusts = bool(self.nearest("set_real_ip_from"))
        return header if trusts and header != "proxy_protocol" else ""

    # Variables

    def expanded(self, text: str, visitor: Visitor, *, depth: int = 0) -> str:
        """Return a text with the values of its variables; an unknown one stays as it is.

        Raises:
            Refused: Its variables multiply.
        """
        if depth == 0:
            self.site.looked_up = 0
        if depth > _DEPTH:
            return text
        value = _VARIABLE.sub(
            lambda found: self._variable((found[1] or found[2]).lower(), visitor, depth), text
        )
        return bounded(value, "A value of the site's variables is too much: it")

    def _variable(self, name: str, visitor: Visitor, depth: int) -> str:
        self.site.looked_up += 1
        if self.site.looked_up > MOST_VALUES:
            raise Refused("The site's variables are too much: they stand for one another.")
        for level in self.levels:
            for one in reversed(level):
                if one.name == "set" and one.words[:1] and _bare(one.words[0]) == f"${name}":
                    return self.expanded(" ".join(one.words[1:]), visitor, depth=depth + 1)
        if (found := self.site.map_of(name)) is not None:
            asked = self.expanded(found.words[0], visitor, depth=depth + 1)
            return self.expanded(_looked_up(found, asked), visitor, depth=depth + 1)
        return _builtin(name, visitor, self)


def _builtin(name: str, visitor: Visitor, place: Place) -> str:
    header = visitor.headers.get
    if name.startswith("http_"):
        wanted = name.removeprefix("http_")
        return next(
            (value for key, value in visitor.headers.items() if key.replace("-", "_") == wanted), ""
        )
    if name == "proxy_host":
        return place.target(visitor)[1]
    if name == "proxy_add_x_forwarded_for":
        return ", ".join(one for one in (header("x-forwarded-for", ""), visitor.address) if one)
    path, question, query = visitor.path.partition("?")
    known = {
        "remote_addr": visitor.address,
        "realip_remote_addr": visitor.address,
        "scheme": visitor.scheme,
        "host": header("host", "").rpartition(":")[0] or header("host", ""),
        "request_uri": visitor.path,
        "uri": normalised(path),
        "document_uri": normalised(path),
        "args": query,
        "query_string": query,
        "is_args": question,
        "server_port": "80",
        "request_method": "GET",
    }
    return known.get(name, f"${name}")


def _looked_up(table: Directive, asked: str) -> str:
    """Return what a `map` says: of an exact word, else a regular expression, else `default`."""
    entries = [(one.name, one.words[0] if one.words else "") for one in table.inside or ()]
    for word, said in entries:
        if not word.startswith("~") and word not in ("default", "hostnames", "volatile"):  # noqa: SIM102
            if word.removeprefix("\\").lower() == asked.lower():
                return said
    for word, said in entries:
        if word.startswith("~"):
            pattern = word.removeprefix("~").removeprefix("*")
            found = _finds(pattern, asked, ignores_case=word.startswith("~*"))
            if found is not None:
                return _with_groups(said, found)
    return dict(entries).get("default", "")


def _with_groups(text: str, found: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda part: found[int(part[1])] or "", text)


def _finds(pattern: str, text: str, *, ignores_case: bool) -> re.Match[str] | None:
    searchable(pattern)
    try:
        flags = re.IGNORECASE if ignores_case else re.NOFLAG
        return re.search(re.sub(r"\(\?<(?=\w)", "(?P<", pattern), text, flags)
    except re.error:
        sentence = f"`{pattern}` is no regular expression."
        raise Refused(f"nginx would refuse the file: {sentence}") from None


def _bare(text: str) -> str:
    """Return a text with `${name}` written as `$name`, in small letters."""
    return re.sub(r"\$\{(\w+)\}", r"$\1", text).lower()


def _all(level: tuple[Directive, ...]) -> Iterator[Directive]:
    for one in level:
        yield one
        yield from _all(one.inside or ())
