"""A hook of MkDocs: links of pages to files outside `docs/`, which lead somewhere on a forge, also do in the site.

Some of these files become pages of the site. Of others, the text of the link stays. A link to a file that is not there
is a warning, which `mkdocs build --strict` fails for.
"""

import logging
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
# Files outside `docs/` that are pages of the site, each with its name there.
PUBLISHED = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "report-a-weakness.md",
    "CHANGELOG.md": "changelog.md",
    "examples/README.md": "examples.md",
}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(((?![a-z]+:|#)[^)\s#]+)(#[^)\s]*)?\)")

logger = logging.getLogger("mkdocs.hooks")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie outside `docs/`."""
    for path, name in PUBLISHED.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Mend the links of a page."""
    here = page.file.src_uri
    outside = {name: path for path, name in PUBLISHED.items()}
    source = Path(outside.get(here, f"docs/{here}"))
    return LINK.sub(lambda link: _mended(link, source, here), markdown)


def _mended(link: re.Match[str], source: Path, here: str) -> str:
    """A link as it is to be in the site; `source` is the page's file in the repository, `here` its name in the site."""
    text, target, anchor = link[1], link[2], link[3] or ""
    path = os.path.normpath(source.parent / target)
    if path.startswith("docs/"):
        name = path.removeprefix("docs/")
    elif path in PUBLISHED:
        name = PUBLISHED[path]
    elif (ROOT / path).exists():
        return text
    else:
        logger.warning("%s has a link to %s, which is not there.", source, target)
        return link[0]
    return f"[{text}]({os.path.relpath(name, os.path.dirname(here) or '.')}{anchor})"  # noqa: PTH120 - of a name in the site
