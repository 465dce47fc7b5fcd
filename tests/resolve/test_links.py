r"""Links are the addresses in an abstract, without the sentence around them and without TeX's escapes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import block, page, resolved_of

from etl.resolve.links import find_links

MANY = 200_000


def urls(text: str) -> list[str]:
    return [url for url, _, _ in find_links(text)]


IN_A_SENTENCE = [
    pytest.param("{}", id="alone"),
    pytest.param("See {}.", id="full stop"),
    pytest.param("See {}, and {}; {}: {}! {}?", id="punctuation"),
    pytest.param("See {}...", id="dots"),
    pytest.param("(see {})", id="bracket"),
    pytest.param("(at {}).", id="bracket and full stop"),
    pytest.param("[{}], <{}>", id="other brackets"),
    pytest.param("\"{}\" and '{}'", id="quotes"),
    pytest.param("``{}''", id="TeX quotes"),
    pytest.param(r"\url{{}} and \texttt{{}}.", id="TeX commands"),
    pytest.param(r"\href{{}}{here}", id="TeX link"),
    pytest.param("**{}**", id="Markdown"),
    pytest.param("at\t{}\u00a0now", id="other white space"),
    pytest.param("\u201c{}\u201d", id="curly quotes"),
    pytest.param("{}\u2014a site", id="dash"),
    pytest.param("见 {}。", id="ideographic full stop"),
    pytest.param("见{}", id="no space before it"),
    pytest.param("here:{}", id="glued to a colon"),
    pytest.param("is here.{}", id="glued to a sentence"),
    pytest.param("code -{}", id="glued to a dash"),
    pytest.param("at{} and Code{}", id="glued to a word"),
    pytest.param("version2{}", id="glued to a digit"),
    pytest.param("${}$ and ${}$.", id="glued to dollars"),
    pytest.param(r"{}\footnote{here}", id="glued to a TeX command"),
    pytest.param(r"{\tt {}} and {\color{red}{}}", id="TeX groups"),
    pytest.param("{}(code and data)", id="a bracket glued behind"),
    pytest.param("{})and", id="a word glued behind a bracket"),
    pytest.param("{}\u200b, {}\x00", id="what cannot be seen"),
    pytest.param("({}),({})", id="two in brackets"),
]
ADDRESSES = [
    "https://a.example",
    "http://a.example/",
    "https://a.example:8080/b/c.html?d=1&e=%20f#g-h",
    "https://a.example/~bell/b_c",
    "https://a.example/b_(c)",
    "HTTPS://A.Example/B",
    "ftp://a.example/b",
]


@pytest.mark.parametrize("sentence", IN_A_SENTENCE)
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_ends_where_the_sentence_goes_on(sentence: str, address: str) -> None:
    assert urls(sentence.replace("{}", address)) == [address]


@pytest.mark.parametrize(
    ("printed", "address"),
    [
        (r"https://a.example/b\_c\_d", "https://a.example/b_c_d"),
        (r"https://a.example/b\%20c", "https://a.example/b%20c"),
        (r"https://a.example/?b=1\&c=2\#d", "https://a.example/?b=1&c=2#d"),
        (r"https://a.example/\~bell", "https://a.example/~bell"),
        (r"\url{https://a.example/b\_c}.", "https://a.example/b_c"),
        (r"https://a.example/b\ and", "https://a.example/b"),
        (r"https://a.example/b\\", "https://a.example/b"),
        (r"https://a.example/b\_.", "https://a.example/b_"),
        (r"https://a.example/\~{}bell.", "https://a.example/~bell"),
        (r"(https://a.example/$\sim$bell/)", "https://a.example/~bell/"),
        (r"https://a.example/b{\_}c", "https://a.example/b_c"),
        (r"https://a.example/b\/c", "https://a.example/b/c"),
        (r"https://a\_b.example/c", "https://a_b.example/c"),
    ],
)
def test_texs_escapes_are_taken_off(printed: str, address: str) -> None:
    assert urls(printed) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no link",
        "a.example",
        "www.a.example/b",
        "https:// a.example",
        "http://.",
        "http://[::1",
        "://a.example",
        "x://",
    ],
)
def test_what_names_no_host_is_no_link(text: str) -> None:
    assert find_links(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("athttps://a.example", ["https://a.example"], id="http"),
        pytest.param("hhttps://a.example", ["https://a.example"], id="a letter too many"),
        pytest.param("atftp://a.example/b", ["ftp://a.example/b"], id="ftp"),
        pytest.param("sftp://a.example", ["sftp://a.example"], id="sftp is one word"),
        pytest.param("git+ssh://a.example", ["ssh://a.example"], id="two schemes"),
        pytest.param("x" * MANY + "https://a.example", ["https://a.example"], id="a long word"),
        pytest.param(
            "https://a.example/bhttps://b.example", ["https://a.example/b", "https://b.example"], id="another address"
        ),
        pytest.param(
            "https://a.example,https://b.example;https://c.example",
            ["https://a.example", "https://b.example", "https://c.example"],
            id="addresses parted by a comma",
        ),
        pytest.param(
            "https://a.example/web/2019/https://b.example/c",
            ["https://a.example/web/2019/https://b.example/c"],
            id="an archive's address",
        ),
        pytest.param(
            "https://a.example/?to=https://b.example",
            ["https://a.example/?to=https://b.example"],
            id="an address as value",
        ),
    ],
)
def test_an_address_that_is_glued_to_a_word_begins_at_its_scheme(text: str, expected: list[str]) -> None:
    assert urls(text) == expected


def test_several_links_stand_once_and_in_order() -> None:
    assert urls("https://b.example, https://a.example/x (https://b.example). https://a.example/y") == [
        *("https://b.example", "https://a.example/x", "https://a.example/y")
    ]


@pytest.mark.parametrize(
    ("address", "host", "kind"),
    [
        ("https://github.com/bell/ring", "github.com", "code"),
        ("https://GitHub.com/bell", "github.com", "code"),
        ("https://gist.github.com/bell", "gist.github.com", "code"),
        ("https://gitlab.com/bell", "gitlab.com", "code"),
        ("https://github.com:443/bell", "github.com", "code"),
        ("https://notgithub.com/bell", "notgithub.com", "site"),
        ("https://github.com.example/bell", "github.com.example", "site"),
        ("https://github.com@a.example/bell", "a.example", "site"),
        ("https://bell.github.io/ring", "bell.github.io", "site"),
        ("https://zenodo.org/record/1", "zenodo.org", "data"),
        ("https://huggingface.co/datasets/bell", "huggingface.co", "data"),
        ("https://huggingface.co/bell", "huggingface.co", "site"),
        ("https://a.example/github.com/", "a.example", "site"),
    ],
)
def test_a_links_host_tells_its_kind(address: str, host: str, kind: str) -> None:
    assert find_links(address) == [(address, host, kind)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("http://a.b/" + ")" * MANY, ["http://a.b/"], id="brackets that close"),
        pytest.param("http://a.b/" + ".," * MANY, ["http://a.b/"], id="punctuation"),
        pytest.param("http://a.b/" + r"\_" * MANY, ["http://a.b/" + "_" * MANY], id="escapes"),
        pytest.param("a+" * MANY + "://", [], id="a scheme without end"),
        pytest.param("a:/" * MANY + "://", [], id="schemes without end"),
        pytest.param("http://[ " * MANY, [], id="hosts that cannot be"),
        pytest.param("http://a.b/ " * MANY, ["http://a.b/"], id="one address many times"),
        pytest.param("http://a.b/" + "(" * MANY, ["http://a.b/"], id="brackets that open"),
        pytest.param("http://a.b/" + "()" * MANY, ["http://a.b/" + "()" * MANY], id="brackets in pairs"),
        pytest.param("http://a.b/" + "\\" * MANY, ["http://a.b/"], id="backslashes"),
        pytest.param("http://a.b/" + "$\\sim" * MANY, ["http://a.b/~"], id="a tilde without its dollar"),
        pytest.param("http://a.bc" * MANY, ["http://a.bc"], id="addresses glued to one another"),
        pytest.param("h" * MANY + "http" * MANY + "://", [], id="words without an address"),
    ],
)
def test_hostile_text_is_read_in_linear_time(text: str, expected: list[str]) -> None:
    assert urls(text) == expected


@settings(deadline=None, derandomize=True, database=None)
@given(st.text("ahtps:/.\\_()[]{}, \u0000\n@%é", max_size=60))
def test_links_of_any_text_are_addresses_with_a_host(text: str) -> None:
    for url, host, _ in find_links(text):
        assert "://" in url
        assert not url.endswith((".", ",", "\\"))
        assert host == host.lower() != ""


def test_links_are_those_of_the_merged_abstract() -> None:
    short = page("Ann Bell", block("Ann Bell", abstract="See http://a.example."))
    long = page("Cy Dole", block("Ann Bell", abstract=r"See http://b.example/x\_y and https://github.com/bell."))
    tables = resolved_of(short, long)
    paper_id = tables["papers"]["paper_id"].item()
    assert tables["links"].rows() == [
        (paper_id, "http://b.example/x_y", "b.example", "site"),
        (paper_id, "https://github.com/bell", "github.com", "code"),
    ]
