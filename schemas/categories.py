"""RuleContext categories of arXiv, as far as papers or profiles use them."""

from pandera.polars import Field

from schemas.rights import TAXONOMY
from schemas.table import Table


class Categories(Table):
    """Categories of the arXiv taxonomy that a paper or a profile of this dataset belongs to."""

    category_id: str = Field(title="Category", description="arXiv's identifier of the category, such as cs.CL.")
    badge_code: str = Field(
        title="Badge code",
        description="What a page prints for it: the part after the dot, or the whole where there is none.",
    )
    name: str = Field(title="Name", description="arXiv's name of the category.")
    archive: str = Field(
        title="Archive", description="The archive it belongs to, such as cs.", metadata={"facet": True}
    )
    archive_name: str = Field(title="Archive's name", description="arXiv's name of the archive.")
    group_name: str = Field(
        title="Group", description="The group of archives, such as Physics.", metadata={"facet": True}
    )
    active: bool = Field(title="Active", description="Whether arXiv still takes papers in this category.")

    class Config:
        name = "categories"
        title = "Categories"
        metadata = {"primary_key": ["category_id"], "label": "name", "sort": "category_id", "rights": TAXONOMY}
