"""Contact sheets of screenshots."""

from pathlib import Path

from PIL import Image

from e2e import contact_sheets


def test_every_screenshot_of_a_size_and_scheme_is_on_a_sheet_of_theirs(tmp_path: Path) -> None:
    colours = [(250, number, 0) for number in range(0, 250, 10)]
    for number, colour in enumerate(colours):
        Image.new("RGB", (90, 120), colour).save(tmp_path / f"state{number:02d}-tablet-dark.png")
    Image.new("RGB", (90, 120), (0, 0, 250)).save(tmp_path / "state-wide-dark.png")
    written = contact_sheets.write_all(tmp_path, ["tablet", "wide"], ["light", "dark"])
    assert [path.name for path in written] == ["tablet-dark-1.png", "tablet-dark-2.png", "wide-dark-1.png"]
    seen = set()
    for path in written[:2]:
        with Image.open(path) as sheet:
            assert sheet.size == contact_sheets.SHEET
            seen |= {colour for _, colour in sheet.getcolors(1 << 24) or []}
    assert set(colours) <= seen
    assert (0, 0, 250) not in seen
