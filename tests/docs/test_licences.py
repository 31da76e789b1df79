"""The page of licences says what the installed packages say of themselves."""

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from .licences import LICENCES, packages

# How packages write a licence, and which family that is.
FAMILIES = {
    "GPL": r"\bA?GPL|GNU (?:Affero )?General Public",
    "LGPL": r"LGPL|Lesser General Public",
    "MPL": r"\bMPL|Mozilla Public",
    "Apache": "Apache",
    "BSD": "BSD",
    "MIT": r"\bMIT\b",
    "PSF": "PSF|Python Software Foundation|matplotlib",
}


def families(text: str) -> set[str]:
    return {family for family, written in FAMILIES.items() if re.search(written, text)}


def said(package: str) -> str:
    """What an installed package says of its licence, without the text of it."""
    try:
        about = metadata(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    classified = [line for line in about.get_all("Classifier") or [] if line.startswith("License")]
    return " ".join([about.get("License-Expression") or "", (about.get("License") or "")[:200], *classified])


def test_each_package_that_the_project_names_has_a_licence_there_and_no_other_has() -> None:
    listed = [package for group in LICENCES.values() for package in group]
    assert sorted(listed) == sorted(packages())


@pytest.mark.parametrize(("licence", "package"), [(name, one) for name, group in LICENCES.items() for one in group])
def test_a_package_says_of_itself_what_the_page_says(licence: str, package: str) -> None:
    found = families(said(package))
    if licence.startswith("not stated"):
        assert not found
        return
    assert families(licence) & found or not found
    assert not {"GPL", "LGPL"} & found - families(licence)
