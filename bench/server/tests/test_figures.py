"""Quantiles, targets, tables."""

from bench.server.figures import Table, Target, quantile


def test_a_quantile_is_the_value_that_so_many_are_not_above() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [quantile(values, part) for part in (0.0, 0.5, 0.99, 1.0)] == [1.0, 50.0, 99.0, 100.0]
    assert quantile([7.0], 0.99) == 7.0


def test_a_line_says_whether_its_target_was_held() -> None:
    table = Table("Times", ("", "ms", "target", ""))
    table.add("one", 0.75, target=Target(most=0.8), value=0.75)
    table.add("two", 12.34, target=Target(most=1.5), value=12.34)
    table.add("three", 1234.5, target=Target(least=15.0), value=15.0)
    table.add("four", 3)
    assert str(table).splitlines() == [
        "Times",
        "          ms  target",
        "one     0.75   ≤ 0.8    held",
        "two     12.3   ≤ 1.5  MISSED",
        "three  1,234    ≥ 15    held",
        "four       3",
    ]
