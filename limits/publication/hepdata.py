"""A record of HEPData from results: tables, figures, likelihoods, and all that redoes them.

The format is that of https://www.hepdata.net/submission (schemas 1.1 of hepdata-validator): a
``submission.yaml`` that names the tables, one YAML file each, and resources beside them; HEPData
takes them as one archive. The YAML is written by hepdata_lib. Likelihoods are archives of a
background workspace and a pyhf patchset, of the resource type ``HistFactory``.
"""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from na64.limits.figures.figure import figure
from na64.limits.publication.archives import tar_gz
from na64.limits.publication.columns import (
    Column,
    DataTable,
    counts_table,
    limits_table,
    regions_table,
    yields_table,
)
from na64.limits.publication.likelihood import largest_difference, likelihood_files
from na64.limits.publication.pictures import pictures
from na64.limits.publication.words import papers
from na64.limits.results.limit import Limit
from na64.limits.scanning.progress import Progress, silent
from na64.limits.scanning.signal import ExpectedSignal, expected_signal
from na64.models.errors import InputError, NA64Error
from na64.models.mediators.data import is_registered
from na64.models.signals.rates import TableStore
from na64.workspaces.cards.card import RunCard
from na64.workspaces.cards.charges import charges_text
from na64.workspaces.io.optional import need
from na64.workspaces.io.toml import toml_text

__all__ = ["ARCHIVE", "Inputs", "Record", "hepdata_record"]

#: name of the archive that HEPData takes
ARCHIVE: Final = "submission.tar.gz"
#: digits of numbers in tables: those of all files
_DIGITS: Final = 12
#: relative difference of events at which a likelihood is no longer that of a result
_SAME_SIGNAL: Final = 1e-6
#: so that the name of a table, which begins with that of the result, fits HEPData's 64 characters
_LONGEST_NAME: Final = 48


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files of a record from which a result can be made again.

    Attributes
    ----------
    result
        The result.
    cards
        Its resolved cards.
    charges
        Mediators that are not registered under their names, by these.
    """

    result: str
    cards: tuple[str, ...]
    charges: Mapping[str, str]


#: words of the commands that make a result again from the files of a record
Commands = Callable[[Limit, Inputs], Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Record:
    """A submission to HEPData.

    Attributes
    ----------
    files
        Contents by name: ``submission.yaml``, tables, resources.
    tables
        The tables in it, in order.
    warnings
        What the submitter must know.
    """

    files: Mapping[str, bytes]
    tables: tuple[DataTable, ...]
    warnings: tuple[str, ...] = ()

    @property
    def archive(self) -> bytes:
        """The archive that HEPData takes; the same files give the same bytes."""
        return tar_gz(self.files)


@dataclass(slots=True)
class _Draft:
    """A record while it grows: resources are pairs of a file or an address and a description."""

    files: dict[str, bytes] = field(default_factory=dict)
    tables: list[tuple[DataTable, list[dict[str, str]]]] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, name: str, content: str | bytes, description: str, kind: str = "") -> None:
        """Add a file as a resource of the record."""
        self.files[name] = content.encode("utf-8") if isinstance(content, str) else content
        self.resources.append(_resource(name, description, kind))


def hepdata_record(
    results: Sequence[Limit],
    names: Sequence[str],
    *,
    comment: str = "",
    inspire: int | None = None,
    likelihood: bool = True,
    commands: Commands | None = None,
    tables: TableStore | None = None,
    progress: Progress = silent,
) -> Record:
    """Return the HEPData record of some results.

    Of each result: a table of limits with its figure, one of excluded intervals where they have
    upper edges, one of signal yields and efficiencies, one of counts, the result, its cards, and
    the likelihood. What several results have in common, such as those of one scan in several
    planes, is there once.

    Parameters
    ----------
    results
        One or more, of any searches, models and planes.
    names
        One for each: the names of its tables and files begin with it. Letters, digits, ``.``,
        ``_``, ``-``; at most 48 characters.
    comment
        What the record is, such as the abstract of the paper; titles of the searches if empty.
    inspire
        Number of the paper in INSPIRE, of seven digits; HEPData files a record under it.
    likelihood
        Whether likelihoods are part of it: the signal is computed for them.
    commands
        Gives the words of the commands that make a result again; None for a record that names the
        call of Python alone.
    tables, progress
        As in `na64.limits.scan`.

    Returns
    -------
    Record
        All numbers as in the results, to their 12 digits; the same results give the same bytes.

    Raises
    ------
    InputError
        Without hepdata_lib, which is in an extra; without a result; for names that are no names or
        not one for each result.
    """
    library = _library()
    _check(results, names)
    draft = _Draft()
    for result, name in zip(results, names, strict=True):
        progress(f"tables of {name}")
        _add_inputs(draft, result, name, commands)
    _add_tables(draft, results, names)
    if likelihood:
        _add_likelihoods(draft, results, names, inspire, tables, progress)
    for result in results:
        for address, paper in papers(result.specification).items():
            if not any(item["location"] == address for item in draft.resources):
                draft.resources.append(_resource(address, paper))
    draft.files.update(_yaml(library, draft, comment or _comment(results), inspire))
    return Record(
        dict(sorted(draft.files.items())),
        tuple(table for table, _ in draft.tables),
        tuple(dict.fromkeys(draft.warnings)),
    )


def _library() -> Any:
    with warnings.catch_warnings():  # it sets filters of its own, and imports what is deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        return need("hepdata_lib", extra="hepdata", purpose="a record of HEPData")


def _check(results: Sequence[Limit], names: Sequence[str]) -> None:
    if not results:
        raise InputError("nothing to publish: no result given")
    if len(names) != len(results):
        raise InputError(f"{len(names)} names for {len(results)} results")
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or len(name) > _LONGEST_NAME:
            raise InputError(
                f"'{name}' is no name in a record: letters, digits, '.', '_', '-', at most "
                f"{_LONGEST_NAME}"
            )
    lower = [name.lower() for name in names]  # files of tables are in lower case
    if twice := sorted({name for name in lower if lower.count(name) > 1}):
        raise InputError(f"{', '.join(twice)}: two results of one name")
    first: dict[str, str] = {}
    for result, name in zip(results, names, strict=True):
        if result.content_digest in first:
            raise InputError(f"{first[result.content_digest]} and {name} are the same result")
        first[result.content_digest] = name


def _resource(location: str, description: str, kind: str = "") -> dict[str, str]:
    found = {"description": description, "location": location}
    return {**found, "type": kind} if kind else found


def _add_inputs(draft: _Draft, result: Limit, name: str, commands: Commands | None) -> None:
    """Add a result, its cards and mediators, and how to make it again."""
    made = result.specification
    cards = {_card_file(draft, card, name): card for card in made.cards}
    try:
        charges = _charges(result, name)
    except InputError as error:
        charges, commands = {}, None
        draft.warnings.append(f"{name}: without commands that make it again: {error}")
    inputs = Inputs(
        f"{name}.json", tuple(cards), {model: file for model, (file, _) in charges.items()}
    )
    how = f'Limit.read("{inputs.result}").redo() of na64.limits computes it again'
    if result.origin is not None and result.origin.given:
        how = "its signal was given and cannot be computed again"
        draft.warnings.append(f"{name}: {how}; there is neither a command nor a likelihood")
        commands = None
    draft.add(
        inputs.result,
        result.to_json(),
        f"Result {name} with everything that decides its numbers, JSON of na64-limits; {how}",
    )
    for file, card in cards.items():
        if file not in draft.files:
            text = toml_text(card.to_dict())
            draft.add(file, text, f"Run card of {card.name}, all values resolved")
    for model, (file, text) in charges.items():
        draft.add(file, text, f"Kind and charges of the mediator {model}")
    _add_commands(draft, result, name, inputs, commands)
    if any("/" in word or "\\" in word for word in result.provenance.get("command") or ()):
        draft.warnings.append(
            f"{name}: the command line in its provenance names folders, which will be public"
        )
    if result.expected_only and not all(card.projection for card in made.cards):
        draft.warnings.append(
            f"{name}: has expected limits only, but its card, counts and likelihood hold the "
            "observed events"
        )


def _add_commands(
    draft: _Draft, result: Limit, name: str, inputs: Inputs, commands: Commands | None
) -> None:
    if commands is None:
        return
    try:
        lines = [shlex.join(words) for words in commands(result, inputs)]
    except NA64Error as error:
        draft.warnings.append(f"{name}: without commands that make it again: {error}")
        return
    version = result.provenance.get("versions", {}).get("na64-limits", "")
    draft.add(
        f"{name}.sh",
        "\n".join(lines) + "\n",
        f"Commands that make {inputs.result} from its card; made with na64-limits {version}",
    )


def _card_file(draft: _Draft, card: RunCard, name: str) -> str:
    """Return the file of a card: its name, unless another card has it in this record."""
    file = f"{card.name}.card.toml"
    text = toml_text(card.to_dict()).encode("utf-8")
    return file if draft.files.get(file, text) == text else f"{name}.{file}"


def _charges(result: Limit, name: str) -> dict[str, tuple[str, str]]:
    """Return file and text of mediators that have no name, also of what was scanned first."""
    found: dict[str, tuple[str, str]] = {}
    specification, origin = result.specification, result.origin
    while True:
        chosen = specification.mediator
        if not is_registered(chosen):
            file = f"{name}.{chosen.name}.charges.toml"
            found[chosen.name] = (file, charges_text(chosen))
        if origin is None:
            return found
        specification, origin = origin.specification, origin.origin


def _add_tables(draft: _Draft, results: Sequence[Limit], names: Sequence[str]) -> None:
    """Add tables and figures; yields and counts of one specification once."""
    seen: set[str] = set()
    counted: set[str] = set()
    for result, name in zip(results, names, strict=True):
        drawn = _pictures(result, name, draft)
        draft.tables.append((limits_table(result, f"{name} limits"), drawn))
        regions = regions_table(result, f"{name} regions")
        if regions is not None:
            draft.tables.append((regions, []))
        digest = result.digest
        if digest not in seen and _owner(result, results) is result:
            seen.add(digest)
            draft.tables.append((yields_table(result, f"{name} yields"), []))
        searches = "+".join(card.digest for card in result.specification.cards)
        if searches not in counted:
            counted.add(searches)
            draft.tables.append((counts_table(result, f"{name} counts"), []))


def _owner(result: Limit, results: Sequence[Limit]) -> Limit:
    """Return the result with whose masses the yields of a specification stand: of the coupling."""
    same = [other for other in results if other.digest == result.digest]
    return next((other for other in same if other.plane.is_coupling), same[0])


def _pictures(result: Limit, name: str, draft: _Draft) -> list[dict[str, str]]:
    """Draw a result and return the resources of its table; none where nothing can be drawn."""
    try:
        found = pictures(figure([result]), name)
    except InputError as error:
        draft.warnings.append(f"{name}: no figure: {error}")
        return []
    draft.files.update(found)
    page, image, small = found
    return [
        _resource(image, "Image file"),
        _resource(small, "Thumbnail image file"),
        _resource(page, "The figure as PDF"),
    ]


def _add_likelihoods(
    draft: _Draft,
    results: Sequence[Limit],
    names: Sequence[str],
    inspire: int | None,
    tables: TableStore | None,
    progress: Progress,
) -> None:
    """Add the likelihood of every specification once, under the name of its first result."""
    seen: set[str] = set()
    for result, name in zip(results, names, strict=True):
        given = result.origin is not None and result.origin.given
        if result.digest in seen or given:
            continue
        seen.add(result.digest)
        progress(f"likelihood of {name}")
        signal = expected_signal(result.specification, tables=tables)
        apart = largest_difference(result, signal)
        if apart > _SAME_SIGNAL:
            draft.warnings.append(
                f"{name}: the signal of the likelihood differs from the yields of the result by up "
                f"to {100.0 * apart:.2g} %"
            )
        draft.add(
            f"{name}.likelihood.tar.gz",
            tar_gz(likelihood_files(signal, inspire=inspire)),
            f"Likelihood of {name}: background-only workspace and patchset of pyhf, one patch for "
            f"each {_patch_words(signal)}",
            "HistFactory",
        )


def _patch_words(signal: ExpectedSignal) -> str:
    power = signal.rates.power
    name = "the name of a patched measurement says which"
    if power is None:
        return f"mass and coupling; {name}; the signal is no power of the coupling"
    return f"mass; {name}, and which coupling is mu = 1; mu goes with its power {power:g}"


def _comment(results: Sequence[Limit]) -> str:
    titles = dict.fromkeys(result.specification.title for result in results)
    return f"{'; '.join(titles)}. Limits of na64-limits."


def _yaml(
    library: Any, draft: _Draft, comment: str, inspire: int | None
) -> Iterator[tuple[str, bytes]]:
    """Yield the YAML files of a record; hepdata_lib writes them to a folder that goes again."""
    yaml = need("yaml", extra="hepdata", purpose="a record of HEPData")
    head = library.Submission()
    head.comment = comment
    head.additional_resources += draft.resources
    if inspire is not None:
        head.add_record_id(inspire, "inspire")
    general = {
        "data_license": head.get_license(),
        "comment": head.comment,
        "additional_resources": head.additional_resources,
        **({"record_ids": head.record_ids} if head.record_ids else {}),
    }
    with TemporaryDirectory() as folder:
        # not head.create_files(): it writes an archive with dates into the working directory
        text = yaml.safe_dump(general, explicit_start=True, default_flow_style=False)
        Path(folder, "submission.yaml").write_text(text, encoding="utf-8")
        for table, resources in draft.tables:
            _library_table(library, table, resources).write_yaml(folder)
        for path in sorted(Path(folder).iterdir()):
            yield path.name, path.read_bytes()


def _library_table(library: Any, table: DataTable, resources: Sequence[dict[str, str]]) -> Any:
    """Return a table as hepdata_lib has it."""
    made = library.Table(table.name)
    made.description = table.description
    made.location = f"Data of {table.name}"
    made.keywords = {kind: list(values) for kind, values in table.keywords.items() if values}
    made.additional_resources = list(resources)
    for is_independent, columns in ((True, table.independent), (False, table.dependent)):
        for column in columns:
            made.add_variable(_library_variable(library, column, is_independent))
    return made


def _library_variable(library: Any, column: Column, is_independent: bool) -> Any:
    made = library.Variable(
        column.name,
        is_independent=is_independent,
        is_binned=False,
        units=column.units,
        values=["-" if value is None else value for value in column.values],
        zero_uncertainties_warning=False,
    )
    made.digits = _DIGITS
    for item in column.qualifiers:
        made.add_qualifier(item.name, item.value, item.units)
    for label, pairs in column.errors.items():
        errors = library.Uncertainty(label, is_symmetric=False)
        errors.values = list(pairs)
        made.add_uncertainty(errors)
    return made
