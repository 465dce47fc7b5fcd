"""From files to parsed pages, in portions that fit into memory whatever the files hold.

In: files. Out: portions of pages that the grammar read, and of the errors of files that are no pages.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from etl.errors import PageError
from etl.extract.page import byte_length, parse_page
from etl.extract.recognize import recognize
from etl.extract.records import Page, ParsedPage
from etl.extract.sources import PageFile, read_pages
from schemas.limits import LARGE_PAGE, MOST_PIECES, UNREAD_LINE

Portion = tuple[list[ParsedPage], list[PageError]]
_PORTION = 8 * LARGE_PAGE
"""Bytes of pages with which a portion is full: a hundred real ones."""


def parse_files(files: Iterable[PageFile], observed_on: date | None) -> Iterator[Portion]:
    """The pages of the files in order, a portion after the other.

    Nothing of a portion is kept here, so that a large page is gone before the next file is read.
    """
    pages: list[ParsedPage] = []
    errors: list[PageError] = []
    size = 0
    for file in files:
        (read,) = read_pages([file], observed_on)
        parsed = _parsed(read) if isinstance(read, Page) else read
        if isinstance(parsed, PageError):
            errors.append(parsed)
        else:
            pages.append(parsed)
            size += parsed.page.size
        del read, parsed
        if size > _PORTION:
            yield pages, errors
            pages, errors, size = [], [], 0
    if pages or errors:
        yield pages, errors


def _parsed(page: Page) -> ParsedPage | PageError:
    """The page as the grammar reads it, or the error where its size says that it is none.

    Of a page of a real one's size any text is good enough: what it holds is for the rules to judge.
    """
    if page.size <= LARGE_PAGE:
        return _of_pieces(parse_page(page))
    long = _first_long_line(page.text)
    if long:
        problem = f"line {long}: found more than {UNREAD_LINE:,} bytes, expected text in lines"
        return PageError(page.source, f"{problem}; save the page again, or leave the file out", long)
    parsed = parse_page(page)
    if parsed.blocks:
        return _of_pieces(parsed)
    what, advice = recognize(page.text, has_header=bool(parsed.header.values))
    problem = f"found {page.size:,} bytes without a paper, which seem to be {what}, expected a profile page"
    return PageError(page.source, f"{problem}; {advice}", 1)


def _of_pieces(parsed: ParsedPage) -> ParsedPage | PageError:
    """The page, or the error where it is in more pieces than any page."""
    pieces = len(parsed.blocks) + len(parsed.strays)
    if pieces <= MOST_PIECES:
        return parsed
    problem = f"found {pieces:,} papers and runs of other lines, expected one saved page, of {MOST_PIECES:,} at most"
    return PageError(parsed.page.source, f"{problem}; split the file or leave it out")


def _first_long_line(text: str) -> int | None:
    """The number of the first line that is too long to be looked at."""
    start, number = 0, 1
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if (
            end - start > UNREAD_LINE // 4 and byte_length(text[start:end]) > UNREAD_LINE
        ):  # a letter has four bytes at most
            return number
        start, number = end + 1, number + 1
    return None
