"""The commands that tell what the dataset is made of, without one: `rules` and `schema`."""

import click


@click.command()
def rules() -> None:
    """List the rules that data is held to."""
    from schemas import RULES

    for rule in RULES.values():
        click.echo(f"{rule.id}  {rule.severity:<7}  {rule.dimension:<12}  {rule.title}\n{'':33}{rule.why}")


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "sql", "markdown"]), default="text", show_default=True)
def schema(form: str) -> None:
    """Print the tables and views: to read, as SQL, or as Markdown."""
    from etl import dictionary

    click.echo({"text": dictionary.as_text, "sql": dictionary.as_sql, "markdown": dictionary.as_markdown}[form]())
