"""Break what guards, one small change at a time: at least 85 % of the broken programs must fail a test.

``scripts/mutants.py`` runs mutmut for each part below with the tests that state that part's rules, prints the
figure of each module, and exits 1 if a part stays under the threshold. ``scripts/mutants.py connect`` runs
one part; ``--list`` shows what survived. A second run tries only what has changed since, or everything where
the tests have. The words of a refusal are not changed: no test repeats a text.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
WORK: Final = ROOT / ".build/mutants"
THRESHOLD: Final = 85.0
"""Percent of the mutants of each part."""

NEEDED: Final = ("bff", "tests", "scripts", "templates", "static", "docs", "pyproject.toml")
"""What the tests read, copied so that nothing here is ever changed."""
SURVIVED: Final = frozenset({0, 5, 33, None})
"""Exit codes of a run that noticed nothing, of mutants that no test reaches, and of those not tried yet."""

REFUSALS: Final = r"raise \w+\((f?[\"'].*)?$"
"""Lines whose words are not broken: an error raised with a text alone."""


@dataclass(frozen=True)
class Part:
    """Some modules, and the tests that must notice when one of them is broken."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS: Final = {
    "connect": Part(
        (
            "bff/connect/completion.py",
            "bff/connect/launch_minting.py",
            "bff/connect/minting.py",
            "bff/connect/offered_connectors.py",
            "bff/connect/outcome.py",
            "bff/connect/poll_schedule.py",
            "bff/connect/polling.py",
            "bff/connect/prefetch.py",
            "bff/connect/service.py",
            "bff/connect/sign_in_urls.py",
            "bff/content/messages.py",
            "bff/content/minted_url.py",
            "bff/common/origins.py",
            "bff/common/secret.py",
            "bff/studio/access.py",
        ),
        (
            "tests/connect/test_prefetch.py",
            "tests/connect/test_completion.py",
            "tests/connect/test_service.py",
            "tests/content/test_messages.py",
            "tests/connect/test_minting.py",
            "tests/common/test_origins.py",
            "tests/connect/test_outcome.py",
            "tests/connect/test_press.py",
            "tests/connect/test_poll_permit.py",
            "tests/connect/test_sign_in_urls.py",
            "tests/connect/test_polling.py",
            "tests/connect/test_forms.py",
            "tests/connect/test_housekeeping.py",
            "tests/connect/test_whose_sign_in.py",
            "tests/studio/test_editing.py",
        ),
    ),
    "content": Part(
        (
            "bff/common/errors.py",
            "bff/content/colours.py",
            "bff/content/content.py",
            "bff/content/entries.py",
            "bff/content/faults.py",
            "bff/content/drafts.py",
            "bff/content/language_names.py",
            "bff/content/look.py",
            "bff/content/look_fields.py",
            "bff/content/wording.py",
            "bff/content/words.py",
            "bff/studio/scenes.py",
            "bff/upstream/catalogue.py",
        ),
        (
            "tests/upstream/test_catalogue.py",
            "tests/content/test_colours.py",
            "tests/content/test_content.py",
            "tests/content/test_drafts.py",
            "tests/common/test_errors.py",
            "tests/content/test_locales.py",
            "tests/content/test_look.py",
            "tests/content/test_wording.py",
            "tests/content/test_words.py",
            "tests/content/test_cleaning.py",
            "tests/content/test_double_entries.py",
            "tests/content/test_json_faults.py",
            "tests/content/test_language_names.py",
            "tests/studio/test_editing.py",
        ),
    ),
    "web": Part(
        ("bff/web/kit/guards.py", "bff/web/kit/authenticate.py"),
        (
            "tests/web/test_guards.py",
            "tests/web/test_flask_host.py",
            "tests/web/test_forced_linking.py",
        ),
    ),
    "partner": Part(
        (
            "bff/partner/api/sign_in_tokens.py",
            "bff/partner/sign_in/tokens.py",
            "bff/partner/sign_in/oauth_flow.py",
        ),
        (
            "tests/partner/links",
            "tests/partner/test_sign_in_wishes.py",
            "tests/partner/test_typed_credentials.py",
        ),
    ),
    "pictures": Part(
        ("bff/content/logos/logo.py", "bff/content/logos/raster.py", "bff/content/logos/svg.py"),
        ("tests/content/test_images.py", "tests/content/test_svg.py"),
    ),
    "studio": Part(
        (
            "bff/common/strict_json.py",
            "bff/connect/attempt.py",
            "bff/connect/housekeeping.py",
            "bff/connect/idempotency.py",
            "bff/connect/timeline.py",
            "bff/connections/overview.py",
            "bff/studio/editing.py",
        ),
        (
            "tests/studio/test_editing.py",
            "tests/connections/test_overview.py",
            "tests/connect/test_timeline.py",
            "tests/connect/test_housekeeping.py",
            "tests/connect/test_idempotency.py",
            "tests/common/test_strict_json.py",
            "tests/connect/test_attempt.py",
        ),
    ),
}


def main() -> int:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--list", action="store_true", help="show what survived the last run, and run nothing"
    )
    parser.add_argument("--children", type=int, default=os.cpu_count() or 2, help="how many run at once")
    asked = parser.parse_args()
    failed = False
    for name in asked.parts or PARTS:
        folder = WORK / name
        if not asked.list:
            prepare(folder, PARTS[name])
            run(folder, asked.children)
        failed |= not report(name, folder, PARTS[name], survivors=asked.list)
    return 1 if failed else 0


def prepare(folder: Path, part: Part) -> None:
    """A copy of the repository for mutmut to work in, and what it is to do there."""
    folder.mkdir(parents=True, exist_ok=True)
    rules, before = digest_of(part.tests), folder / "rules.sha256"
    if not before.is_file() or before.read_text() != rules:
        # mutmut looks at what is broken only: what other rules let live would be left alive.
        shutil.rmtree(folder / "mutants", ignore_errors=True)
    before.write_text(rules)
    for name in NEEDED:
        copy(ROOT / name, folder / name)
    settings = {
        "source_paths": ["bff"],
        "only_mutate": part.modules,
        "also_copy": NEEDED[2:],
        "pytest_add_cli_args_test_selection": part.tests,
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-k", "not postgresql"],
        "do_not_mutate_patterns": [REFUSALS],
        "use_git_change_detection": ["false"],
    }
    lines = [f"{key} =\n" + "".join(f"    {value}\n" for value in values) for key, values in settings.items()]
    (folder / "setup.cfg").write_text("[mutmut]\n" + "".join(lines), encoding="utf-8")


def digest_of(tests: tuple[str, ...]) -> str:
    """Of the tests, and of what they stand on."""
    found = sha256()
    for top in (*tests, "tests/support", "tests/conftest.py"):
        path = ROOT / top
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(file.read_bytes())
    return found.hexdigest()


def copy(source: Path, target: Path) -> None:
    """Bring the copy up to date; times are kept, by which mutmut sees what has changed."""
    if source.is_file():
        there = target.stat().st_mtime_ns if target.is_file() else None
        if there != source.stat().st_mtime_ns:
            shutil.copy2(source, target)
        return
    target.mkdir(exist_ok=True)
    names = {path.name for path in source.iterdir() if path.name != "__pycache__"}
    for old in target.iterdir():
        if old.name not in names:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name in names:
        copy(source / name, target / name)


def run(folder: Path, children: int) -> None:
    """Run mutmut in the folder; its own output goes on as it comes."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def report(name: str, folder: Path, part: Part, *, survivors: bool) -> bool:
    """Print the figures; whether the part reaches the threshold."""
    whole: Counter[bool] = Counter()
    for module in part.modules:
        codes = codes_of(folder, module)
        died = Counter(code not in SURVIVED for code in codes.values())
        whole += died
        print(f"{figure(died):>6} %  {died[True]:4} of {died.total():4}  {module}")
        for mutant in sorted(key for key, code in codes.items() if survivors and code in SURVIVED):
            print(f"          {mutant}")
    print(
        f"{figure(whole):>6} %  {whole[True]:4} of {whole.total():4}  {name}, at least {THRESHOLD} % wanted"
    )
    return whole.total() > 0 and 100 * whole[True] >= THRESHOLD * whole.total()


def codes_of(folder: Path, module: str) -> dict[str, int | None]:
    """The exit code of the tests for each mutant; None for one that was not tried."""
    path = folder / "mutants" / f"{module}.meta"
    found: dict[str, int | None] = {}
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def figure(died: Counter[bool]) -> str:
    """The share that died, in percent."""
    return f"{100 * died[True] / died.total():.1f}" if died.total() else "none"


if __name__ == "__main__":
    sys.exit(main())
