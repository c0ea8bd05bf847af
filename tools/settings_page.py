"""Write what is said of the settings into docs/settings.md and .env.example: `python -m tools.settings_page`."""

from __future__ import annotations

from pathlib import Path

from askrepo.settings import AIRFLOW, BOTH, COMMAND, MAKE, OF_AIRFLOW, OF_MAKE, PIPELINE, SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
BEGIN = "# --- every setting; written by python -m tools.settings_page ---"
ALL = (*SETTINGS, *OF_AIRFLOW, *OF_MAKE)
# Fixed in docker-compose.yaml: where its volumes are, and the pool that it makes.
FIXED_BY_COMPOSE = frozenset({"ASKREPO_CACHE", "ASKREPO_EMBED_POOL"})

INTRODUCTION = """# Settings

<!-- Written by `python -m tools.settings_page` from askrepo/settings.py, which is where to change it. -->

A flag wins over the environment, over `./askrepo.toml`, over `~/.config/askrepo/config.toml`, over the default. An
empty variable counts as unset. In the files, keys are the names without `ASKREPO_`, in lower case.

`askrepo.toml` is read in the current directory, where it may be part of a cloned repository. It may therefore say what
to ask, and never where anything comes from or goes to. It may set these and nothing else: {project}.
Your own file may set everything that the command or the pipeline reads. Airflow's tasks read the environment alone.

`askrepo doctor` names the variables that are set, and those that look like settings and are none.
"""
GROUPS = {
    BOTH: "The command and the pipeline",
    COMMAND: "The command",
    PIPELINE: "The pipeline",
    AIRFLOW: "Airflow's tasks and DAGs",
    MAKE: "The Airflow that make starts",
}


def settings_page() -> str:
    """The whole of docs/settings.md."""
    keys = sorted(f"`{setting.key}`" for setting in SETTINGS if setting.in_project)
    parts = [INTRODUCTION.format(project=f"{', '.join(keys[:-1])} and {keys[-1]}")]
    for readers, title in GROUPS.items():
        rows = [_row(setting) for setting in ALL if setting.readers == readers]
        parts.append(
            "\n".join(
                [f"## {title}\n", "| variable | what it does | what it is | default |", "|---|---|---|---|", *rows, ""]
            )
        )
    return "\n".join(parts)


def _row(setting: Setting) -> str:
    also = f"; also `{setting.kind.also}`" if setting.kind.also else ""
    return f"| `{setting.name}` | {setting.meaning}{also} | {setting.kind.words} | {setting.kind.default or 'none'} |"


def example_file(text: str) -> str:
    """The text of .env.example with its last part, the settings, written anew."""
    ours = [setting for setting in (*SETTINGS, *OF_AIRFLOW) if setting.name not in FIXED_BY_COMPOSE]
    lines = [
        f"# {setting.meaning} ({setting.kind.words}; default: {setting.kind.default or 'none'})\n# {setting.name}="
        for setting in ours
    ]
    return "\n".join([text.partition(BEGIN)[0].rstrip() + "\n", BEGIN, *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
    EXAMPLE.write_text(example_file(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
