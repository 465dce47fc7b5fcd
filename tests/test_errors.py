"""Errors go from one process to another as they are."""

import pickle

import pytest

from etl import errors
from etl.errors import PageError, PaperledgerError

CLASSES = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, PaperledgerError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_comes_out_of_a_pickle_as_it_went_in(kind: type[PaperledgerError]) -> None:
    error = PageError("a.txt", "empty file", 3) if kind is PageError else kind("a.txt: no page")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  made here
    assert (type(again), str(again), again.exit_code) == (kind, str(error), kind.exit_code)
    assert vars(again) == vars(error)
