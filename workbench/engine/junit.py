"""JUnit XML, which every CI service shows: a run's outputs as test cases, or its verdicts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from workbench.core.run import Comparison

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; at most one of the three is said."""

    name: str
    time_s: float = 0.0
    failure: str | None = None
    error: str | None = None
    skipped: str | None = None
    details: str = ""


def junit(name: str, suites: Iterable[tuple[str, Iterable[Case]]], properties: dict[str, str]) -> str:
    """A document of suites, each a name and its cases; characters that XML has no word for are replaced."""
    root = ElementTree.Element("testsuites", name=_xml(name))
    for suite_name, cases in suites:
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(suite_name))
        if properties:
            listed = ElementTree.SubElement(suite, "properties")
            for key, value in properties.items():
                ElementTree.SubElement(listed, "property", name=_xml(key), value=_xml(value))
        tests = failures = errors = skipped = 0
        for case in cases:
            tests += 1
            failures += case.failure is not None
            errors += case.error is not None
            skipped += case.skipped is not None
            _add(suite, suite_name, case)
        counts = {"tests": tests, "failures": failures, "errors": errors, "skipped": skipped}
        for kind, count in counts.items():
            suite.set(kind, str(count))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def comparison_junit(comparison: Comparison, failing: Collection[str] = ("worse",)) -> str:
    """A case for each cell of a comparison; it fails where its verdict is among `failing`."""

    def case(index: int) -> Case:
        entry = comparison.comparisons[index]
        said = (
            f"{entry.verdict}: {entry.difference:+.4f} [{entry.low:+.4f}, {entry.high:+.4f}] "
            f"over {entry.n} rows"
        ).replace(" [+nan, +nan]", "")
        if entry.stopped is None:
            said += f", adjusted p {entry.p_adjusted:.3g}"
        return Case(entry.cell.label, failure=said if entry.verdict in failing else None, details=said)

    against = f"run {comparison.across}" if comparison.across else comparison.baseline.label
    suite = f"{comparison.metric} against {against}"
    cases = [case(index) for index in range(len(comparison.comparisons))]
    return junit(comparison.run, [(suite, cases)], {"run": comparison.run, "metric": comparison.metric})


def _add(suite: ElementTree.Element, suite_name: str, case: Case) -> None:
    element = ElementTree.SubElement(
        suite, "testcase", name=_xml(case.name), classname=_xml(suite_name), time=f"{case.time_s:.3f}"
    )
    for tag, said in (("error", case.error), ("failure", case.failure), ("skipped", case.skipped)):
        if said is not None:
            found = ElementTree.SubElement(element, tag, message=_xml(said))
            if tag == "failure" and case.details:
                found.text = _xml(case.details)
            return
    if case.details:
        ElementTree.SubElement(element, "system-out").text = _xml(case.details)


def _xml(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
