//! Requests that two parsers could read differently, and what the server and nginx in front of it say to each. It sends nothing.

/// What every case would have the server see as a request of its own, were its end misread: nothing else asks for this path.
pub(super) const HIDDEN: &str = "GET /favicon.ico HTTP/1.1\r\nHost: share.example\r\n\r\n";

/// One case.
pub(super) struct Case {
    /// What is odd about it.
    pub(super) name: &'static str,
    /// All that is sent: `{host}` stands for the usual line, `{hidden}` for that request, `{len}` and `{hex}` for its length, `{long}` for
    /// 20 000 letters.
    text: &'static str,
    /// The status of each answer of the server; the last is that of a good request that follows, where the connection goes on.
    pub(super) direct: &'static [u16],
    /// The same through nginx.
    pub(super) nginx: &'static [u16],
}

impl Case {
    /// The bytes that are sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let len = HIDDEN.len();
        let text = self.text.replace("{host}", "Host: share.example\r\n");
        let text = text.replace("{len}", &len.to_string());
        let text = text.replace("{hex}", &format!("{len:x}"));
        let text = text.replace("{long}", &"y".repeat(20_000));
        let text = text.replace("{many}", &"X: y\r\n".repeat(70));
        text.replace("{hidden}", HIDDEN).into_bytes()
    }
}

const fn case(
    name: &'static str,
    text: &'static str,
    direct: &'static [u16],
    nginx: &'static [u16],
) -> Case {
    Case {
        name,
        text,
        direct,
        nginx,
    }
}

/// All of them.
#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    // Both ways to frame a body, in every order.
    case("CL.TE", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: 54\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", &[411], &[400]),
    case("TE.CL", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{hex}\r\n{hidden}\r\n0\r\n\r\n", &[411], &[400]),
    case("TE.TE", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n{hidden}", &[400], &[400]),
    case("TE.TE the other way", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", &[411], &[400]),
    case("chunked, plainly", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n{hex}\r\n{hidden}\r\n0\r\n\r\n", &[411], &[415, 200]),
    case("an unknown coding", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}", &[400], &[501]),
    case("identity", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: identity\r\n\r\n{hidden}", &[400], &[501]),
    case("identity and a length", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: identity\r\nContent-Length: {len}\r\n\r\n{hidden}", &[400], &[501]),
    case("chunked twice", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n{hidden}", &[411], &[501]),
    case("chunked, then identity", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}", &[400], &[501]),
    case("chunked in capitals", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: CHUNKED\r\n\r\n{hex}\r\n{hidden}\r\n0\r\n\r\n", &[411], &[415, 200]),
    case("chunked in quotes", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n{hidden}", &[400], &[501]),
    case("chunked after a vertical tab", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{hidden}", &[400], &[501]),
    case("chunked with a parameter", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n{hidden}", &[400], &[501]),
    case("an empty coding", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding:\r\nContent-Length: {len}\r\n\r\n{hidden}", &[400], &[501]),
    case("a space before the colon", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}", &[400], &[400]),
    case("chunked by HTTP/1.0", "POST /api/v1/transfers HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", &[400], &[400]),
    case("a coding that Connection names", "POST /api/v1/transfers HTTP/1.1\r\n{host}Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n{hex}\r\n{hidden}\r\n0\r\n\r\n", &[411], &[415, 200]),
    // Chunks that are none.
    case("a chunk of a negative size", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n-1\r\n{hidden}", &[411], &[400]),
    case("a chunk of more than 2^64", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n10000000000000000000000\r\n{hidden}", &[411], &[400]),
    case("a chunk's extension that ends in a bare LF", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n{hex};\n{hidden}\r\n0\r\n\r\n", &[411], &[415, 200]),
    case("a chunk's size in two ways", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n{hidden}", &[411], &[400]),
    case("a chunk's extension in quotes", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n{hex};a=\"\r\n{hidden}\r\n0\r\n\r\n", &[411], &[415, 200]),
    case("a chunk without its end", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n2\r\nabc0\r\n\r\n{hidden}", &[411], &[400]),
    case("a trailer that frames", "POST /api/v1/transfers HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n{hex}\r\n{hidden}\r\n0\r\nContent-Length: 5\r\n\r\n", &[411], &[415, 200]),
    // Lengths.
    case("a length with a sign", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: +5\r\n\r\n12345", &[400], &[400]),
    case("a negative length", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: -5\r\n\r\n{hidden}", &[400], &[400]),
    case("two lengths that differ", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: 0\r\nContent-Length: {len}\r\n\r\n{hidden}", &[400], &[400]),
    case("two lengths that agree", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: {len}\r\nContent-Length: {len}\r\n\r\n{hidden}", &[415, 200], &[400]),
    case("a list of lengths", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: {len}, {len}\r\n\r\n{hidden}", &[400], &[400]),
    case("a length in hex", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: 0x5\r\n\r\n12345", &[400], &[400]),
    case("a length in two words", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: 0 5\r\n\r\n12345", &[400], &[400]),
    case("no length at all after its name", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length:\r\n\r\n{hidden}", &[400], &[400]),
    case("a length beyond 2^64", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: 18446744073709551621\r\n\r\n12345", &[400], &[400]),
    case("a length that Connection names", "POST /api/v1/transfers HTTP/1.1\r\n{host}Connection: Content-Length\r\nContent-Length: {len}\r\n\r\n{hidden}", &[415, 200], &[415, 200]),
    case("a length with another digit for five", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Length: \u{665}\r\n\r\n12345", &[400], &[400]),
    // Lines.
    case("a length on a folded line", "POST /api/v1/transfers HTTP/1.1\r\n{host}X: a\r\n Content-Length: {len}\r\n\r\n{hidden}", &[400], &[400]),
    case("a first field that is folded", "GET /api/v1/stats HTTP/1.1\r\n X: a\r\n{host}\r\n", &[400], &[400]),
    case("lines that end in bare LF", "GET /api/v1/stats HTTP/1.1\nHost: share.example\n\n", &[200, 200], &[200, 200]),
    case("a bare CR in a value", "GET /api/v1/stats HTTP/1.1\r\n{host}X: a\rContent-Length: {len}\r\n\r\n", &[400], &[400]),
    case("a NUL in a value", "GET /api/v1/stats HTTP/1.1\r\n{host}X: a\0b\r\n\r\n", &[400], &[400]),
    case("a NUL in a name", "GET /api/v1/stats HTTP/1.1\r\n{host}X\0: a\r\n\r\n", &[400], &[400]),
    case("a space in a name", "GET /api/v1/stats HTTP/1.1\r\n{host}X Y: a\r\n\r\n", &[400], &[400]),
    case("a letter beyond ASCII in a name", "GET /api/v1/stats HTTP/1.1\r\n{host}\u{e9}: a\r\n\r\n", &[400], &[200, 200]),
    case("a field without a name", "GET /api/v1/stats HTTP/1.1\r\n{host}: a\r\n\r\n", &[400], &[400]),
    case("a field without a colon", "GET /api/v1/stats HTTP/1.1\r\n{host}Content-Length\r\n\r\n", &[400], &[400]),
    case("a field longer than any head", "GET /api/v1/stats HTTP/1.1\r\n{host}X: {long}{long}{long}{long}\r\n\r\n", &[431], &[400]),
    case("seventy fields", "GET /api/v1/stats HTTP/1.1\r\n{host}{many}\r\n", &[431], &[431, 200]),
    // Hosts.
    case("no host", "GET /api/v1/stats HTTP/1.1\r\n\r\n", &[400], &[400]),
    case("no host by HTTP/1.0", "GET /api/v1/stats HTTP/1.0\r\n\r\n", &[400], &[400]),
    case("two hosts", "GET /api/v1/stats HTTP/1.1\r\n{host}Host: other.example\r\n\r\n", &[400], &[400]),
    case("the same host twice", "GET /api/v1/stats HTTP/1.1\r\n{host}{host}\r\n", &[400], &[400]),
    case("another host than the address says", "GET http://other.example/api/v1/stats HTTP/1.1\r\n{host}\r\n", &[400], &[200, 200]),
    case("the same host as the address says, in capitals", "GET http://SHARE.example/api/v1/stats HTTP/1.1\r\n{host}\r\n", &[200, 200], &[200, 200]),
    case("a host with a space", "GET /api/v1/stats HTTP/1.1\r\nHost: a b\r\n\r\n", &[400], &[400]),
    case("a host with a path", "GET /api/v1/stats HTTP/1.1\r\nHost: a/b\r\n\r\n", &[400], &[400]),
    case("a host with a user", "GET /api/v1/stats HTTP/1.1\r\nHost: a@share.example\r\n\r\n", &[400], &[400, 200]),
    // Request lines.
    case("a method that is none", "G@T /api/v1/stats HTTP/1.1\r\n{host}\r\n", &[400], &[400]),
    case("a method that nobody knows", "BREW /api/v1/stats HTTP/1.1\r\n{host}\r\n", &[405, 200], &[405, 200]),
    case("a method in small letters", "get /api/v1/stats HTTP/1.1\r\n{host}\r\n", &[405, 200], &[400]),
    case("two spaces", "GET  /api/v1/stats HTTP/1.1\r\n{host}\r\n", &[400], &[200, 200]),
    case("no version", "GET /api/v1/stats\r\n\r\n", &[400], &[]),
    case("a version that is none yet", "GET /api/v1/stats HTTP/1.2\r\n{host}\r\n", &[400], &[200, 200]),
    case("a version of HTTP/2 in text", "GET /api/v1/stats HTTP/2.0\r\n{host}\r\n", &[400], &[505]),
    case("a path with a control character", "GET /api/v1/\x01stats HTTP/1.1\r\n{host}\r\n", &[400], &[400]),
    case("a path longer than any head", "GET /{long}{long}{long}{long} HTTP/1.1\r\n{host}\r\n", &[431], &[414]),
    case("a tunnel", "CONNECT share.example:443 HTTP/1.1\r\n{host}\r\n", &[400], &[400]),
    case("a question to the whole server", "OPTIONS * HTTP/1.1\r\n{host}\r\n", &[404, 200], &[400]),
    case("an empty line before the request", "\r\nGET /api/v1/stats HTTP/1.1\r\n{host}\r\n", &[200, 200], &[200, 200]),
    case("the preface of HTTP/2 later on", "GET /api/v1/stats HTTP/1.1\r\n{host}\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[200], &[200, 400]),
    // What is asked for beside the request.
    case("an upgrade to h2c", "GET /api/v1/stats HTTP/1.1\r\n{host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", &[200, 200], &[200, 200]),
    case("an upgrade to a web socket", "GET /api/v1/stats HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", &[200, 200], &[200, 200]),
    case("an expectation that nobody meets", "POST /api/v1/transfers HTTP/1.1\r\n{host}Expect: 200-ok\r\nContent-Length: {len}\r\n\r\n{hidden}", &[415, 200], &[415, 200]),
    case("an expectation twice", "POST /api/v1/transfers HTTP/1.1\r\n{host}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: {len}\r\n\r\n{hidden}", &[415, 200], &[400]),
    case("an expectation, and the body at once", "POST /api/v1/transfers HTTP/1.1\r\n{host}Expect: 100-continue\r\nContent-Length: {len}\r\n\r\n{hidden}", &[415, 200], &[100, 415, 200]),
    // Bodies that nobody reads.
    case("a body behind a GET", "GET /api/v1/stats HTTP/1.1\r\n{host}Content-Length: {len}\r\n\r\n{hidden}", &[200, 200], &[200, 200]),
    case("a body behind a path that is not there", "POST /nothing HTTP/1.1\r\n{host}Content-Length: {len}\r\n\r\n{hidden}", &[404, 200], &[404, 200]),
    case("a body behind a method that is not there", "PUT /api/v1/stats HTTP/1.1\r\n{host}Content-Length: {len}\r\n\r\n{hidden}", &[405, 200], &[405, 200]),
    case("a body of a wrong type", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Type: text/plain\r\nContent-Length: {len}\r\n\r\n{hidden}", &[415, 200], &[415, 200]),
    case("a body that is no JSON", "POST /api/v1/transfers HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n{hidden}", &[400, 200], &[400, 200]),
    case("two requests in one piece", "GET /api/v1/stats HTTP/1.1\r\n{host}\r\nGET /healthz HTTP/1.1\r\n{host}\r\n", &[200, 204, 200], &[200, 204, 200]),
];
