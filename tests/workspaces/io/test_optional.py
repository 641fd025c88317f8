"""Optional dependencies are named with the extra that has them."""

import sys

import pytest

from na64.models.errors import InputError
from na64.workspaces.io.optional import need


def test_what_is_installed_is_returned_itself() -> None:
    assert need("json.decoder", extra="web") is sys.modules["json.decoder"]


@pytest.mark.parametrize("module", ["bokeh", "bokeh.embed"])
def test_one_line_names_package_and_extra(monkeypatch, module) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bokeh"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bokeh", None)  # what Python has for "cannot be imported"
    with pytest.raises(InputError) as caught:
        need(module, extra="web", purpose="figures as HTML")
    assert str(caught.value) == (
        "figures as HTML: needs bokeh, which is not installed: pip install 'na64-limits[web]'"
    )
    assert caught.value.exit_code == 2


def test_a_broken_installation_is_not_taken_for_a_missing_one(monkeypatch, tmp_path) -> None:
    (tmp_path / "halfway.py").write_text("import something_else_that_is_missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="something_else_that_is_missing"):
        need("halfway", extra="web")
