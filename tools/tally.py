# SPDX-License-Identifier: MIT
# Counts what tools/check has run: test cases, not programs. A test program that left no
# result (it crashed, or was killed) counts as one failure, so silence never passes.
#
#   tally.py BUILD RESULTS all|host
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as xml


def host_tests(build, results):
    """Yields (name, outcome) of all test cases that Meson knows of."""
    listing = subprocess.run(["meson", "introspect", "--tests", build],
                             check=True, capture_output=True, text=True).stdout
    outcomes = meson_outcomes(build)
    for test in json.loads(listing):
        name = test["name"]
        meson_says = outcomes.get(name, "did not run")
        suites = {suite.split(":")[-1] for suite in test["suite"]}
        if "pytest" in suites:
            yield from pytest_cases(name, test["cmd"], meson_says)
            continue
        report = results / "host" / (pathlib.Path(test["cmd"][0]).name + ".json")
        if "gtest" not in suites:
            yield name, "passed" if meson_says == "OK" else f"failed ({meson_says})"
            continue
        failed = False
        try:
            suites = json.loads(report.read_text())["testsuites"]
        except (OSError, ValueError) as error:
            yield name, f"failed (no report: {error})"
            continue
        for suite in suites:
            for case in suite["testsuite"]:
                outcome = gtest_outcome(case)
                failed |= outcome == "failed"
                yield f"{name}: {suite['name']}.{case['name']}", outcome
        # The sanitizers and the leak check speak after the last test case.
        if meson_says != "OK" and not failed:
            yield name, f"failed ({meson_says} after its last test case)"


def gtest_outcome(case):
    if case["status"] != "RUN" or case["result"] == "SKIPPED":
        return "skipped"
    return "failed" if case.get("failures") else "passed"


def meson_outcomes(build):
    log = pathlib.Path(build) / "meson-logs/testlog.json"
    if not log.is_file():
        return {}
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.strip()]
    # "SUITE / NAME" if there is a suite or a subproject.
    return {line["name"].split(" / ")[-1]: line["result"] for line in lines}


def pytest_cases(name, command, meson_says):
    """The cases of a Meson test that runs pytest with --junitxml."""
    report = next(word.removeprefix("--junitxml=") for word in command if word.startswith("--junitxml="))
    if meson_says == "did not run":  # a report would be an older one
        yield name, "failed (did not run)"
        return
    failed = False
    for case, outcome in junit_cases(name, pathlib.Path(report)):
        failed |= outcome.startswith("failed")
        yield case, outcome
    if meson_says != "OK" and not failed:
        yield name, f"failed ({meson_says} after its last test case)"


def junit_cases(name, report):
    """Yields (name, outcome) of all cases of a JUnit report of pytest."""
    try:
        cases = list(xml.parse(report).getroot().iter("testcase"))
    except (OSError, xml.ParseError) as error:
        yield name, f"failed (no report: {error})"
        return
    if not cases:
        yield name, "failed (none ran)"
    for case in cases:
        case_name = f"{case.get('classname')}: {case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            yield case_name, "failed"
        elif (skipped := case.find("skipped")) is not None:
            yield case_name, f"skipped ({skipped.get('message')})"
        else:
            yield case_name, "passed"


def main():
    build, results, which = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    cases = list(host_tests(build, results))
    if which == "all":
        cases += junit_cases("scenarios", results / "qemu.xml")
    passed = sum(outcome == "passed" for _, outcome in cases)
    failed = sum(outcome.startswith("failed") for _, outcome in cases)
    for name, outcome in cases:
        if outcome != "passed":
            print(f"{name}: {outcome}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
