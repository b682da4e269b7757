"""A site is read as nginx reads it: the same requests go through a real nginx."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from autograder.checks.texts.bounds import Refused
from autograder.checks.texts.nginx_site import Site, Visitor, parsed, seconds, size
from classroom.programs import find_nginx, nginx

HEADERS = """
proxy_set_header Host $http_host;
proxy_set_header X-Forwarded-For {address};
proxy_set_header X-Forwarded-Proto ${{scheme}};
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection {connection};
"""


def site(
    location="location / { proxy_pass http://app:8000; }",
    *,
    top="",
    address="$remote_addr",
    connection="upgrade",
):
    """Return a site with the usual headers."""
    headers = HEADERS.format(address=address, connection=connection)
    return f"{top}\nserver {{ listen 80;\n{headers}\n{location} }}"


MAP = "map {of} $c {{ {entries} }}"
SITES = {
    "nothing is set": "server { listen 80; location / { proxy_pass http://app:8000; } }",
    "the usual": site(),
    "an upstream and the path": site(
        "location / { proxy_pass http://desk$request_uri; }",
        top="upstream desk { server app:8000; }",
    ),
    "a slash": site("location / { proxy_pass http://app:8000/; }"),
    "a part of the path": site("location /a { proxy_pass http://app:8000/b; }"),
    "the decoded path": site(
        "location / { proxy_pass http://desk$uri; }", top="upstream desk { server app:8000; }"
    ),
    "a variable": site(
        "set $desk app:8000; resolver 127.0.0.11; location / { proxy_pass http://$desk; }"
    ),
    "a regular expression": site("location ~ ^/ { proxy_pass http://app:8000; }"),
    "an inner level": site(
        "location / { proxy_pass http://app:8000; proxy_set_header X-Forwarded-For a; }"
    ),
    "one header twice": site(
        "location / { proxy_pass http://app:8000; "
        "proxy_set_header X-Forwarded-For $http_x_forwarded_for; "
        "proxy_set_header x-forwarded-for $remote_addr; }"
    ),
    "no value": site(address='""'),
    "both addresses": site(address="$proxy_add_x_forwarded_for"),
    "a map by default": site(
        top=MAP.format(of="$http_upgrade", entries="default upgrade; '' close;"), connection="$c"
    ),
    "a map of one word": site(
        top=MAP.format(of="${http_upgrade}", entries="default close; WebSocket upgrade;"),
        connection="${c}",
    ),
    "a map by expressions": site(
        top=MAP.format(of="$http_connection", entries='default close; "~*(UPGRADE)" $1;'),
        connection="$c",
    ),
    "a map of nothing": site(
        top=MAP.format(of="$http_upgrade", entries='"~." upgrade;'), connection="$c"
    ),
    "nested": site(
        "location / { proxy_pass http://app:8000; "
        "location = /a { proxy_pass http://app:8000/one; } "
        "location ~ c$ { proxy_pass http://app:8000; proxy_set_header X-Forwarded-For c; } }"
    ),
    "one place after another": site(
        "location / { proxy_pass http://app:8000/prefix/; } "
        "location ^~ /a/b { proxy_pass http://app:8000/first/; } "
        "location ~* ^/A { proxy_pass http://app:8000; proxy_set_header X-Forwarded-For re; }"
    ),
    "led by an error": site(
        "location / { error_page 418 = @desk; return 418; } "
        "location @desk { proxy_pass http://app:8000; proxy_set_header X-Forwarded-For @; }"
    ),
}
REQUESTS = [
    ("/", {}),
    ("/a", {"upgrade": "websocket", "connection": "Upgrade"}),
    ("/a/b", {"upgrade": "websocket", "connection": "keep-alive, Upgrade"}),
    ("/a%2Fb//c?d=%20", {"connection": "close"}),
]
COMPARED = ("host", "x-forwarded-for", "x-forwarded-proto", "connection", "upgrade")


class Echo(BaseHTTPRequestHandler):
    """Answers with the path and the headers that came."""

    def do_GET(self):
        body = json.dumps([self.path, self.headers.items()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Write nothing."""


@pytest.fixture(scope="module")
def app():
    """Return the port of an app that says what it got."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def asked(port, path, headers):
    """Send a request and return what the app got: its path and the compared headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    if reply.status != 200:
        return reply.status
    path, pairs = json.loads(body)
    got = {}
    for name, value in pairs:
        got.setdefault(name.lower(), []).append(value)
    return path, {name: got.get(name, []) for name in COMPARED}


def foretold(text, path, headers, port):
    """Return what the reader says that the app gets."""
    visitor = Visitor(headers=headers, address="127.0.0.1", path=path)
    place = Site(text).servers[0].place_for(path).end()
    if not place.own("proxy_pass"):
        return 404
    sent = place.headers(visitor)
    got = {name: sent.get(name, []) for name in COMPARED}
    for name in COMPARED:
        got[name] = [one.replace("app:8000", f"127.0.0.1:{port}") for one in got[name]]
    return place.passed_path(visitor), got


@pytest.mark.skipif(find_nginx() is None, reason="there is no nginx for this platform")
@pytest.mark.parametrize("text", SITES.values(), ids=SITES.keys())
def test_the_app_gets_what_was_foretold(text, app):
    """What a real nginx passes on is what the reader says, header by header."""
    with nginx(text, addresses={"app:8000": app}) as proxy:
        for path, more in REQUESTS:
            headers = {"host": "desk.example:81", "x-forwarded-for": "6.6.6.6", **more}
            assert asked(proxy.port, path, headers) == foretold(text, path, headers, app), path


def test_a_directive_counts_where_it_stands_and_further_in():
    """The innermost directive applies; lists of one level belong together."""
    found = Site(
        "gzip on; client_max_body_size 1k; server { gzip_types text/css; "
        "gzip_types text/event-stream; proxy_read_timeout 5m30s; location / { "
        "proxy_pass http://app:8000; client_max_body_size 6M; location /a { gzip_types a/b; } } }"
    )
    root, inner = found.places
    assert (size(root.value("client_max_body_size", "1m")), size("1k")) == (6 * 1024**2, 1024)
    assert seconds(inner.value("proxy_read_timeout", "60s")) == 330
    assert (root.collects_events, inner.collects_events) == (True, False)
    assert (str(root), str(inner), str(found.servers[0])) == ("location /", "location /a", "server")


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("location / { proxy_pass http://app:8000; }", ""),
        ("location / { root /srv; }", "it has no `proxy_pass`."),
        ("location / { return 204; }", "`return 204` answers in place of the app."),
        ("return 301 /; location / { }", "`return 301` answers in place of the app."),
        ("location / { proxy_pass http://app:8000; deny all; }", "`deny` refuses requests."),
        ("location /a { proxy_pass http://app:8000; }", "it has no `proxy_pass`."),
    ],
)
def test_a_place_may_answer_by_itself(location, why):
    """A place that passes nothing on says so."""
    assert Site(site(location)).servers[0].place_for("/").answers_itself == why


def test_what_is_not_evaluated_is_found_wherever_it_stands():
    """A check can refuse what is not known."""
    found = Site(site("location / { if ($a) { rewrite ^ /b; } }"))
    assert [one.name for one in found.named("if", "rewrite")] == ["if", "rewrite"]


def test_a_name_in_a_variable_needs_a_resolver():
    """Without one nginx could not find the app, unless an upstream has this name."""
    passes = "location / { proxy_pass http://desk$request_uri; }"
    upstream = "upstream desk { server app:8000; server b:1 backup; }"
    places = [
        Site(site(passes)).places[0],
        Site(site(f"resolver 127.0.0.11; {passes}")).places[0],
        Site(site(passes, top=upstream)).places[0],
    ]
    assert [place.lacks_resolver(Visitor()) for place in places] == [True, False, False]
    assert places[2].leads_to(Visitor()) == ["http://app:8000", "http://b:1"]


def test_a_header_may_be_believed():
    """`$remote_addr` is a header's word where `set_real_ip_from` stands."""
    passes = "location / { proxy_pass http://app:8000; }"
    said = [
        "",
        "real_ip_header X-Forwarded-For;",
        "set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For;",
        "set_real_ip_from 10.0.0.0/8; real_ip_header proxy_protocol;",
    ]
    found = [Site(site(f"{one} {passes}")).places[0].believes for one in said]
    assert found == ["", "", "X-Forwarded-For", ""]


def test_quotes_comments_and_escapes_are_read():
    """Words come without quotes, comments not at all."""
    (one,) = parsed('# a; {\nadd "b \\"c\\"" \'d;\' e#f ~\\.g; # h')
    assert (one.name, one.words) == ("add", ('b "c"', "d;", "e#f", "~\\.g"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a b", "no `;` after `a b`."),
        ("a { b }", "no `;` after `b`."),
        ("a { b;", "a `}` is missing."),
        ("a; }", "there is a `}` too many."),
        ("a;;", "there is a `;` too many."),
        ("{ }", "a `{` stands alone."),
    ],
)
def test_a_broken_file_is_refused(text, why):
    """The message says what nginx would stumble over."""
    with pytest.raises(Refused, match=why.replace("{", r"\{").replace("}", r"\}")):
        parsed(text)


@pytest.mark.parametrize("read", [size, seconds])
def test_a_wrong_number_is_refused(read):
    """A size or a time that nginx would not take is named."""
    with pytest.raises(Refused, match="`6 mb` is not a"):
        read("6 mb")


def test_a_time_is_read_in_one_pass():
    """Digits without an end are no time, and nobody counts them in all ways that there are."""
    assert seconds("5m30s") == 330
    assert seconds("60") == 60
    for text in ("1" * 5000 + "!", "", "s"):
        with pytest.raises(Refused, match="is not a time"):
            seconds(text)


@pytest.mark.parametrize(
    "pattern", ["^(/a+)+$", "^(/a|/aa)*$", ".*.*.*.*.*.*!", "(?:(?:x))?" * 50], ids=len
)
def test_an_endless_search_is_not_begun(pattern):
    """A regular expression of which a search could take years is refused, with the reason."""
    server = Site(f'server {{ location ~ "{pattern}" {{ proxy_pass http://app:8000; }} }}').servers[
        0
    ]
    with pytest.raises(Refused, match="simple regular expression"):
        server.place_for("/" + "a" * 60)


@pytest.mark.parametrize("last", ["x", ""], ids=["longer", "more work"])
def test_variables_that_multiply_end(last):
    """Variables of variables are followed so far and no further."""
    chain = "".join(f'set $a{n} "{f"$a{n + 1}" * 300}";' for n in range(7))
    text = f'server {{ {chain} set $a7 "{last}"; proxy_set_header X $a0; }}'
    with pytest.raises(Refused, match="too much"):
        Site(text).servers[0].headers(Visitor())


@pytest.mark.parametrize(
    "text", ["server {" + "location / {" * 3000 + "}" * 3001, "# " + "x" * 100_000]
)
def test_a_file_without_measure_is_refused(text):
    """Neither blocks without end inside each other nor a file without end is read."""
    with pytest.raises(Refused):
        Site(text)
