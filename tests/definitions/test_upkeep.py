"""What a project says about its worker: an address for metrics, and how long logs stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import load_config
from definitions.addresses import is_open_to_others, listening
from definitions.sizes import size


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (9464, "127.0.0.1:9464"),
        ("9464", "127.0.0.1:9464"),
        ("localhost:9464", "127.0.0.1:9464"),
        ("0.0.0.0:9464", "0.0.0.0:9464"),
        ("[::1]:9464", "[::1]:9464"),
    ],
)
def test_a_port_alone_is_this_machine_only(written: object, meant: str) -> None:
    assert listening(written) == meant


@pytest.mark.parametrize(
    "written", [":9464", "*:9464", "host.example.org:9464", "127.0.0.1", 0, 65536, True, "", "127.0.0.1:http"]
)
def test_an_interface_that_is_not_written_out_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is no address to listen at"):
        listening(written)


def test_who_can_come_to_an_address_is_known() -> None:
    assert [is_open_to_others(listening(each)) for each in (9464, "0.0.0.0:1", "[::1]:1", "[::]:1")] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [(70_000, 70_000), ("512KiB", 524_288), ("10 MB", 10_000_000), ("1.5GiB", 1_610_612_736), ("65536", 65_536)],
)
def test_sizes_are_read_as_people_write_them(written: object, meant: int) -> None:
    assert size(written) == meant


def test_the_file_of_a_project_is_checked_and_read(tmp_path: Path) -> None:
    file = tmp_path / "phaseloom.yaml"
    file.write_text("logs: {keep: 30d, max_size: 20MB}\nmetrics: 9464\n")
    config, diagnostics = load_config(tmp_path)
    assert not diagnostics
    settings = config.settings
    assert (settings.logs.keep, settings.logs.max_size, settings.metrics) == (2_592_000, 20_000_000, "127.0.0.1:9464")
    file.write_text("logs: {keep: 0, max_size: 1KB}\nmetrics: ':9464'\n")
    assert [(found.line, found.code) for found in load_config(tmp_path)[1]] == [
        (1, "PL110"),
        (1, "PL110"),
        (2, "PL102"),
    ]
