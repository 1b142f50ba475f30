"""What a JUnit document must be like: there is no standard, so this is what its readers have in common, in own words.

No package that we found carries a schema. The rules follow what Jenkins, GitLab and Azure document for their readers.
"""

import re
from xml.etree import ElementTree as ET

COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}
NUMBER = re.compile(r"\d+(\.\d+)?")

# Which attributes an element must have, which it may have, and which elements may be in it.
SHAPES = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"time"}, {"properties", "testcase"}),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"classname", "name"}, {"time"}, set(COUNTED)),
    "failure": ({"message", "type"}, set(), set()),
    "error": ({"message", "type"}, set(), set()),
    "skipped": ({"message"}, set(), set()),
}


def read(text):
    """Return the root element of a document, once it is found to be as it must be."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    _check(root)
    suites = root.findall("testsuite")
    assert suites
    for suite in suites:
        _check_counts(suite)
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in suites)
    return root


def _check(element):
    needed, allowed, children = SHAPES[element.tag]
    assert needed <= set(element.attrib) <= needed | allowed, element.attrib
    assert "time" not in element.attrib or NUMBER.fullmatch(element.get("time"))
    assert {child.tag for child in element} <= children, element.tag
    assert children or not len(element)
    if children:
        assert not (element.text or "").strip()
    for child in element:
        assert not (child.tail or "").strip()
        _check(child)


def _check_counts(suite):
    cases = suite.findall("testcase")
    assert cases, "readers take a suite without cases for a broken one"
    assert int(suite.get("tests")) == len(cases)
    for tag, count in COUNTED.items():
        assert int(suite.get(count)) == len(suite.findall(f"testcase/{tag}"))
    assert all(len(case) <= 1 for case in cases), "a case ends in one way"
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names), "two cases of one name are shown as one"
