"""Names of the views of a picture, see `views.py`, and of the two qualities of embeddings.

`best` takes both views, the larger of the bundled models, and closer neighbours; it takes two to three times as long.
"""

from typing import Literal, get_args

View = Literal["crop", "fit", "both"]
VIEWS: tuple[View, ...] = get_args(View)
ViewOrAuto = Literal["auto", "crop", "fit", "both"]
Quality = Literal["standard", "best"]
AUTO = "auto"
