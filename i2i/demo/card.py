"""The model's description: recipe, data, licence and metrics."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from i2i.demo.beside import metrics_of
from i2i.evaluation.results import number
from i2i.model.model import Model


def card(model: Model) -> str:
    """The model's card as HTML, with all texts escaped."""
    templates = Environment(
        loader=PackageLoader("i2i.demo"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("card.html").render(
        recipe=model.recipe,
        toml=model.recipe.to_toml(),
        step=model.step,
        sha256=model.sha256,
        credit=model.data.credit,
        notice=model.data.notice,
        palette=model.data.palette,
        metrics=metrics_of(model.path),
        number=number,
    )
