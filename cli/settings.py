"""``imagegs-tex settings``."""

import json
from dataclasses import asdict

from imagegs_tex.cli.options import AsJson


def settings(as_json: AsJson = False) -> None:
    """Show every setting of the fit and of the precision, for --set NAME=VALUE and --settings FILE.toml."""
    from imagegs_tex.cli.tables_settings import print_settings
    from imagegs_tex.setting_list import list_settings

    found = list_settings()
    if as_json:
        rows = [{**asdict(setting), "presets": dict(setting.presets), "range": setting.range} for setting in found]
        print(json.dumps({"settings": rows}, indent=2))
    else:
        print_settings(found)
