"""Take a picture of every page: `python -m tests.console.screenshots`, into build/screenshots."""

from __future__ import annotations

from pathlib import Path

from tests.console.conftest import browsing, showing

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = (360, 1280)
LOOKS = (("en", "light"), ("zh", "dark"))


def main() -> None:
    """Every page at both widths, in English and light, in Chinese and dark."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with showing() as shown, browsing() as browser:
        for width in WIDTHS:
            for language, scheme in LOOKS:
                context = browser.new_context(
                    base_url=shown.served.address,
                    color_scheme="dark" if scheme == "dark" else "light",
                    locale=language,
                    viewport={"width": width, "height": 800},
                )
                page = context.new_page()
                for name, path in shown.pages.items():
                    page.goto(path)
                    file = FOLDER / f"{name}-{width}-{language}-{scheme}.png"
                    page.screenshot(path=file, full_page=True)
                context.close()
    print(f"screenshots: {len(list(FOLDER.glob('*.png')))} in {FOLDER}")


if __name__ == "__main__":
    main()
