"""The results of the rules, their findings, and the lines of pages that are in no other row."""

from pandera.polars import Field

from schemas.limits import RULE_ID
from schemas.rules import DIMENSIONS, LEVELS, STATUSES
from schemas.table import TOOL, Table, at_least, row_check


class Quarantine(Table):
    """Lines of pages that are in no other table: they are no part of a page that is known, or their paper breaks a rule."""

    profile_id: str = Field(title="Profile", description="The page.")
    line_start: int = Field(
        ge=1, title="First line", description="First line, from 1.", metadata={"unit": "line number"}
    )
    line_end: int = Field(title="Last line", description="Last line.", metadata={"unit": "line number"})
    rule_ids: str = Field(title="Rules", description="Every rule that the lines break, as a JSON list.")
    raw_text: str = Field(
        title="Raw text", description="The lines, unchanged, joined by a line feed.", metadata={"sortable": False}
    )
    reason: str = Field(title="Reason", description="Why they are in no other table.")

    lines_in_order = row_check(at_least, "line_end", other="line_start")

    class Config:
        name = "quarantine"
        title = "Quarantine"
        metadata = {
            "primary_key": ["profile_id", "line_start"],
            "references": {"profile_id": "profiles"},
            "page_size": 10,
            "group": "audit",
        }


class Rules(Table):
    """Rules that the data is checked against, with the results of this build."""

    rule_id: str = Field(str_matches=RULE_ID, title="Rule", description="Stable identifier, such as PAP-002.")
    table_name: str = Field(title="Table", description="The table that is checked.", metadata={"facet": True})
    column_name: str = Field(
        nullable=True, title="Column", description="The column that is checked; null where it is not a single one."
    )
    severity: str = Field(
        isin=list(LEVELS),
        title="Severity",
        description="In this build: error (nothing is published), warning (published and reported), info (counted), off.",
        metadata={"facet": True},
    )
    dimension: str = Field(
        isin=list(DIMENSIONS),
        title="Dimension",
        description="Which quality of data the rule is about, such as completeness.",
        metadata={"facet": True},
    )
    title: str = Field(title="Title", description="What the rule requires.")
    why: str = Field(title="Why", description="What is wrong with data that breaks it.", metadata={"sortable": False})
    checked: int = Field(
        ge=0,
        title="Checked",
        description="Number of rows, pages or blocks that were checked.",
        metadata={"unit": "items"},
    )
    failed: int = Field(
        ge=0, title="Failed", description="Number of them that break the rule.", metadata={"unit": "items"}
    )
    status: str = Field(
        isin=list(STATUSES),
        title="Status",
        description="passed (none breaks it), noted (severity info), warned, failed, off (not checked).",
        metadata={"facet": True},
    )

    class Config:
        name = "rules"
        title = "Rules"
        metadata = {
            "primary_key": ["rule_id"],
            "label": "title",
            "sort": "rule_id",
            "group": "audit",
            "rights": TOOL,
        }


class Findings(Table):
    """What breaks a rule of severity warning or error: the row, and the lines of the page."""

    finding_id: str = Field(
        str_matches=r"^(?:[0-9a-f]{16})$", title="Finding", description="Hash of the rule and the row's key."
    )
    rule_id: str = Field(title="Rule", description="The rule.", metadata={"facet": True})
    table_name: str = Field(title="Table", description="The table of the row.", metadata={"facet": True})
    row_key: str = Field(title="Row", description="The row's key, as in the address of its page on the site.")
    profile_id: str = Field(nullable=True, title="Profile", description="The page; null where it is about no page.")
    source: str = Field(
        nullable=True,
        title="Source",
        description="The page's file, or another file that is wrong, such as the overrides.",
    )
    line_start: int = Field(
        nullable=True,
        ge=1,
        title="First line",
        description="First of the page's lines that it is about.",
        metadata={"unit": "line number"},
    )
    line_end: int = Field(
        nullable=True,
        ge=1,
        title="Last line",
        description="Last of the page's lines that it is about.",
        metadata={"unit": "line number"},
    )
    value: str = Field(nullable=True, title="Value", description="What was found.")
    message: str = Field(title="Message", description="What was found, what was expected, what to do.")

    class Config:
        name = "findings"
        title = "Findings"
        metadata = {
            "primary_key": ["finding_id"],
            "references": {"rule_id": "rules", "profile_id": "profiles"},
            "label": "message",
            "sort": "rule_id",
            "orders": ["rule_id,source,line_start,finding_id"],
            "page_size": 50,
            "group": "audit",
        }
