"""Web addresses of hostile forms, as a link, a redirect or a sitemap may give them."""

import itertools

_LABELS = (
    "xn--n3h", "xn--", "xn---", "xn--a", "xn--0", "xn--zzzzzz", "xn--99999999", "xn--a-ecp.ru", "XN--N3H", "xn--ls8h",
    "☃", "💩", "ａ", "a\u0301", "ß", "\u200d", "\u00ad", "a\u200db", "٣", "א1ב", "\u0378", "\ufdd0", "-a-", "a--b",
    "_dmarc",
    "a" * 63, "a" * 64, "a" * 300, "é" * 60, ".".join(["a" * 50] * 6), "0x7f.1", "0177.0.0.1", "2130706433", "1.2.3",
    "[::1]", "[::ffff:10.0.0.1]", "[fe80::1%25eth0]", "[::", "]", "[v1.a]", "%31%32%37.0.0.1", "%00", "%2e", "a%00b",
    "a b", "a\tb", "a\nb", "a\\b", "a^b", "a|b", "a<b", "..", ".", "", "localhost.", "a..b", "\ud800", "\x7f",
)  # fmt: skip
_HOSTS = ("{}", "{}.net", "www.{}.com.br", "a.{}")
_FORMS = (
    "http://{}/", "https://{}/", "//{}/", "http:{}", "http:/{}", "http:///{}", "http://u:p@{}/", "http://{}:0/",
    "http://{}:99999/", "http://{}:-1/", "http://{}:٣/", "http://{}#", "http://{}?q=\ud800", "HtTp://{}/%zz",
)  # fmt: skip
_OTHERS = (
    "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "http:",
    "http://", "://", ":", "?", "\x00", "http://127.0.0.1:1/" + "a" * 70_000, "http://127.0.0.1:1/" + "%" * 999,
    "http://" + "a." * 5_000, "http://127.0.0.1:1/" + "../" * 3_000, "http://169.254.169.254/latest/meta-data/",
)  # fmt: skip


def hostile(most: int) -> list[str]:
    """At most `most` of them, spread over all forms."""
    hosts = [host.format(label) for host, label in itertools.product(_HOSTS, _LABELS)]
    every = [*_OTHERS, *(form.format(host) for form, host in itertools.product(_FORMS, hosts))]
    step = max(1, len(every) // most)
    return list(dict.fromkeys([*_OTHERS, *every[::step]]))[:most]
