"""tests/kit: what is counted, and how it is told."""

from prometheus_client.parser import text_string_to_metric_families

from kit.telemetry import (
    Family,
    Histogram,
    Sample,
    configure_metrics,
    exposition,
    families,
    gauge,
    labelled,
    merged,
    meter,
)


def named(name: str) -> Family:
    return next(family for family in families() if family.name == name)


def test_a_histogram_counts_into_growing_buckets() -> None:
    """Each bucket holds all that is not above its bound (Prometheus's text format, version 0.0.4)."""
    durations = Histogram("tests.duration", "How long", bounds=(0.1, 1.0))
    series = durations.series(route="/a")
    for seconds in (0.1, 0.5, 3.0):
        series.record(seconds)
    assert exposition([named("tests_duration_seconds")]).splitlines() == [
        "# HELP tests_duration_seconds How long",
        "# TYPE tests_duration_seconds histogram",
        'tests_duration_seconds_bucket{le="0.1",route="/a"} 1',
        'tests_duration_seconds_bucket{le="1.0",route="/a"} 2',
        'tests_duration_seconds_bucket{le="+Inf",route="/a"} 3',
        'tests_duration_seconds_sum{route="/a"} 3.6',
        'tests_duration_seconds_count{route="/a"} 3',
    ]


def test_the_instruments_of_opentelemetry_are_told_as_well() -> None:
    """A counter made before anybody listens counts from when somebody does."""
    counter = meter("tests").create_counter("tests.refused", description="Refusals")
    configure_metrics()
    configure_metrics()
    counter.add(2, {"problem.code": "not_found"})
    counter.add(1, {"problem.code": "not_found"})
    expected = Family(
        "tests_refused_total", "counter", "Refusals", [Sample(3, {"problem_code": "not_found"})]
    )
    assert named("tests_refused_total") == expected


def test_a_gauge_is_read_when_somebody_asks() -> None:
    """What stands there then is told, and a later gauge of the name takes the place of the earlier."""
    gauge("tests.depth", "Depth", lambda: [Sample(1)])
    gauge("tests.depth", "Depth", lambda: [Sample(2.5, {"of": "sea"})])
    assert exposition([named("tests_depth")]).splitlines()[-1] == 'tests_depth{of="sea"} 2.5'


def test_labels_and_help_cannot_break_out_of_their_line() -> None:
    """Quotes, backslashes and line ends are escaped."""
    text = exposition([Family("x", "gauge", "a\nb\\c", [Sample(1, {"l": 'q"\\\n'})])])
    assert text == '# HELP x a\\nb\\\\c\n# TYPE x gauge\nx{l="q\\"\\\\\\n"} 1\n'


def test_what_several_workers_tell_is_one_family_with_their_labels() -> None:
    """Nobody's samples are added to another's: a worker that starts anew begins its own series again."""
    own, other = ([Family("x", "counter", "X", [Sample(value)])] for value in (1, 2))
    found = merged([*labelled(own, worker="0"), *labelled(other, worker="1")])
    assert found == [Family("x", "counter", "X", [Sample(1, {"worker": "0"}), Sample(2, {"worker": "1"})])]


def test_prometheus_own_parser_reads_what_is_written() -> None:
    """Labels and help with quotes, backslashes and line ends come out as they went in."""
    said = 'says "no",\n\\ and é'
    counter = Family("tests_odd_total", "counter", said, [Sample(1.5, {"why": said}), Sample(2, {})])
    (read,) = text_string_to_metric_families(exposition([counter]))
    assert (read.name, read.type) == ("tests_odd", "counter")
    assert [(one.name, one.labels, one.value) for one in read.samples] == [
        ("tests_odd_total", {"why": said}, 1.5),
        ("tests_odd_total", {}, 2.0),
    ]
