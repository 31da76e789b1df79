"""Visitors are told apart by session and by network."""

import pytest

from similarity.service.usage import Usage
from similarity.service.visitor import Visitor, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_computer_is_known_by_the_part_of_its_address_that_it_cannot_choose(address: str, network: str) -> None:
    assert network_of(address) == network


def test_another_address_of_the_same_network_makes_nobody_a_newcomer() -> None:
    usage = Usage(6_000)
    for number in range(5):
        usage.add(Visitor(str(number), f"2001:db8::{number}"), 2)
    assert usage.of(Visitor("new", "2001:db8::99")) == 1_000
    assert usage.of(Visitor("new", "2001:db8:0:1::99")) == 0


def test_work_of_a_millisecond_is_counted_as_a_millisecond() -> None:
    usage, visitor = Usage(6_000), Visitor("tab", "192.0.2.7")
    for _ in range(250):
        usage.add(visitor, 0.001)
    assert usage.of(visitor) == 2 * 20, "two tenths of a second, of the session and of its network; the rest is kept"
