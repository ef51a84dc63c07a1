"""Take a picture of every page: `python -m tests.console.screenshots`, into build/screenshots."""

from __future__ import annotations

from pathlib import Path

from tests.console.conftest import browsing, showing
from tests.console.governed import governing
from tests.console.traded import trading

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = (360, 1280)
LOOKS = (("en", "light"), ("zh", "dark"))


def main() -> None:
    """Every page at both widths, in English and light, in Chinese and dark."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        showing() as shown,
        governing() as governed,
        trading() as traded,
        browsing() as browser,
    ):
        served = ((shown, ""), (governed, "consortium-"), (traded, "data-"))
        for width in WIDTHS:
            for language, scheme in LOOKS:
                for chain, prefix in served:
                    context = browser.new_context(
                        base_url=chain.served.address,
                        color_scheme="dark" if scheme == "dark" else "light",
                        locale=language,
                        viewport={"width": width, "height": 800},
                    )
                    page = context.new_page()
                    for name, path in chain.pages.items():
                        page.goto(path)
                        file = FOLDER / f"{prefix}{name}-{width}-{language}-{scheme}.png"
                        page.screenshot(path=file, full_page=True)
                    context.close()
    print(f"screenshots: {len(list(FOLDER.glob('*.png')))} in {FOLDER}")


if __name__ == "__main__":
    main()
