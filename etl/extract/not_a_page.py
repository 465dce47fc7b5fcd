"""What a text is that holds no paper of a profile page: HTML, another site's text, a page in another language.

In: a text. Out: words for people: what it seems to be, and how to save the page.
"""

import re

SAVE_AS_TEXT = "open the profile page in a browser, select all, copy, and paste into a text file"
SHOWN_LETTERS = 40
_HEAD_LETTERS = 4000
_MONTHS = (
    "januar|jänner|februar|märz|mai|juni|juli|oktober|dezember|mär|okt|dez"
    "|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|févr|avr|juil|déc"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|ene|abr|dic"
    "|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|gen|mag|giu|lug|ago|set|ott"
    "|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|fev|mar|out"
    "|januari|februari|maart|mei|augustus|mrt|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września"
    "|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|янв|фев|апр|июн|июл|авг|сен|окт|ноя|дек"
)
_OTHER_DATE = re.compile(
    rf"(?:[0-9]{{1,2}}\.? ?(?:de )?(?:{_MONTHS})\b\.?|(?:{_MONTHS})\.? [0-9]{{1,2}}\b|[0-9]{{4}} ?[年년] ?[0-9]{{1,2}} ?[月월])",
    re.IGNORECASE,
)
_BADGE_INSIDE = r"[A-Z]{2}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} [0-9]{1,2}(?![0-9])"
_KEEP_LINES = "select all of the page in a browser, copy, and paste it into an editor that keeps line breaks"
_KINDS = (
    ("HTML code", r"(?is)\A\s*<(?:!doctype|html|head|body|\?xml|!--|div|script|meta)", SAVE_AS_TEXT),
    ("a web archive (MHTML)", r"(?is)\A(?:From: <Saved|MIME-Version:)", SAVE_AS_TEXT),
    ("JSON", r"(?s)\A\s*[\[{]\s*[\"\[{\]}]", SAVE_AS_TEXT),
    ("BibTeX", r"(?m)^\s*@[A-Za-z]+\s*\{", SAVE_AS_TEXT),
    ("a list of references (RIS)", r"(?m)^TY {1,2}- ", SAVE_AS_TEXT),
    ("a rich text file (RTF)", r"\A\{\\rtf", SAVE_AS_TEXT),
    ("a page whose line breaks are lost", rf"(?m)^(?=.{{160}}).+?{_BADGE_INSIDE}", _KEEP_LINES),
    ("a page of Google Scholar", r"i10-index|(?s:Cited by.*Since [0-9]{4})|scholar\.google", ""),
    ("a page of Semantic Scholar", r"Semantic Scholar|Highly Influential Citations", ""),
    ("a page of DBLP", r"(?i)\bdblp\b|export record", ""),
    ("a page of ResearchGate", r"ResearchGate", ""),
    ("a page of ORCID", r"(?i)\borcid\b", ""),
    ("a page of OpenReview", r"OpenReview", ""),
    ("a page of arXiv", r"(?i)arxiv:[0-9]{4}\.[0-9]{4,5}|(?m:^(?:Comments|Subjects): )", ""),
)
_OTHER_SITE = (
    f"paperledger reads the profile pages whose papers stand under badges such as CLMar 14, 2025; {SAVE_AS_TEXT}"
)


def diagnose(text: str, *, has_header: bool) -> tuple[str, str]:
    r"""What a text without a paper seems to be, and what to do about it.

    >>> diagnose("<!DOCTYPE html><p>Bells", has_header=False)[0]
    'HTML code'
    >>> diagnose("Ada Bell\n\n3 Papers\n\nCL14. März 2025", has_header=True)[0]
    'a page whose dates are in another language (14. März)'
    """
    head = text[:_HEAD_LETTERS].removeprefix("\ufeff")
    for kind, pattern, advice in _KINDS:
        if re.search(pattern, head):
            return kind, advice or _OTHER_SITE
    date = _OTHER_DATE.search(head)
    if date:
        found = date[0][:SHOWN_LETTERS]
        return (
            f"a page whose dates are in another language ({found})",
            "set the site to English, and save the page again",
        )
    if has_header:
        return "a page saved before its papers had loaded", "wait until the papers are shown, and save the page again"
    if not head.strip():
        return "a text of blank lines only", SAVE_AS_TEXT
    return "a text of another kind", _OTHER_SITE
