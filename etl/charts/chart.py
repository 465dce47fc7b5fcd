"""What a chart is: words, numbers, and the SQL that gives these numbers and no others."""

import msgspec

Cell = str | int | None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: its title, a sentence or two of what it shows, and the rows that its SQL gives over the dataset."""

    id: str
    title: str
    says: str
    sql: str
    columns: list[str]
    rows: list[list[Cell]]

    def records(self) -> list[dict[str, Cell]]:
        """The rows with the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]
