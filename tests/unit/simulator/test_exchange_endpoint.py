# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint with a real client, pypsrp, over real sockets."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from simulator import (
    MAIL_RECIPIENTS,
    VIEW_ONLY_CONFIGURATION,
    VIEW_ONLY_RECIPIENTS,
    CostModel,
    Ending,
    Failure,
    SessionDrop,
    Simulator,
)
from simulator.wire.faults import HalfResponse, ResetAfterProcessing, ResetBeforeProcessing, Status
from support.threads import threads_left

PASSWORD = "pässwörd €"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    before = set(threading.enumerate())
    with Simulator(password=PASSWORD) as simulator:
        yield simulator
    assert threads_left(before) == set()


def wsman(sim: Simulator, *, tls: bool = False, user: str | None = None, **options: Any) -> WSMan:
    server = sim.exchange.https if tls else sim.exchange.http
    assert server is not None
    defaults: dict[str, Any] = {
        "port": server.port,
        "ssl": tls,
        "auth": "basic",
        "encryption": "auto" if tls else "never",
        "path": "PowerShell/",
        "cert_validation": str(sim.ca_file),
        "username": (user or sim.administrator.name).encode(),
        "password": PASSWORD.encode(),
    }
    return WSMan("localhost", **(defaults | options))


@contextmanager
def session(sim: Simulator, configuration: str = "Microsoft.Exchange", **options: Any) -> Iterator[RunspacePool]:
    with wsman(sim, **options) as client, RunspacePool(client, configuration_name=configuration) as pool:
        yield pool


def run(pool: RunspacePool, cmdlet: str, pipeline: list[Any] | None = None, **parameters: Any) -> PowerShell:
    shell = PowerShell(pool).add_cmdlet(cmdlet).add_parameters(parameters)
    shell.invoke(None if pipeline is None else (batch for batch in [pipeline]))
    shell.close()
    return shell


def error_ids(shell: PowerShell) -> list[str]:
    return [str(error.fq_error) for error in shell.streams.error]


def property_of(record: Any, name: str) -> Any:
    return {**record.adapted_properties, **record.extended_properties}[name]


def pop_enabled(sim: Simulator, identity: str) -> bool:
    return sim.organisation.settings(sim.organisation.mailbox(identity)).pop_enabled


# --- the protocol -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
def test_one_cmdlet_needs_six_requests_and_one_connection(sim: Simulator, tls: bool) -> None:
    with session(sim, tls=tls) as pool:
        shell = run(pool, "Get-CASMailbox", Identity="John Smith")
    record = shell.output[0]
    assert record.types[0] == "Microsoft.Exchange.Data.Directory.Management.CASMailbox"
    assert property_of(record, "PopEnabled") is False
    assert str(property_of(record, "Identity")) == "contoso.com/Users/John Smith"
    assert property_of(record, "Guid") == sim.organisation.mailbox("John Smith").guid
    assert len(record.adapted_properties) > 50
    assert (sim.exchange.http_requests, sim.exchange.http_connections) == (6, 1)
    assert sim.exchange.shells[0].ending == Ending.CLOSED
    assert sim.exchange.shells[0].scheme == ("https" if tls else "http")
    assert sim.exchange.open_shells == []


@pytest.mark.parametrize("path", ["PowerShell/", "powershell", "POWERSHELL/?serializationLevel=Full"])
def test_the_path_is_taken_in_any_case(sim: Simulator, path: str) -> None:
    with session(sim, path=path) as pool:
        assert run(pool, "Get-CASMailbox", Identity="jsmith").output


def test_wrong_path_password_configuration_and_body(sim: Simulator) -> None:
    # An IIS page is well-formed XML, so that pypsrp takes it for a fault that says nothing.
    with pytest.raises(WSManFaultError, match="No details returned"), session(sim, path="wsman"):
        pass
    assert requests.post(sim.exchange.uri.replace("PowerShell", "wsman"), b"", timeout=5).status_code == 404
    with pytest.raises(AuthenticationError), session(sim, password=b"wrong"):
        pass
    with pytest.raises(WSManFaultError) as unknown, session(sim, "Microsoft.PowerShell"):
        pass
    assert unknown.value.code == 2150858811
    token = b64encode(f"{sim.administrator.name}:{PASSWORD}".encode()).decode()
    answer = requests.post(sim.exchange.uri, b"<no/>", headers={"Authorization": "Basic " + token}, timeout=5)
    assert answer.status_code == 400
    assert sim.exchange.shells == []


def test_a_receive_waits_for_output_and_times_out_without(sim: Simulator) -> None:
    sim.exchange.behaviour.cmdlet_delays["Get-CASMailbox"] = 2.5
    with session(sim, operation_timeout=1) as pool:
        before = sim.exchange.http_requests
        shell = run(pool, "Get-CASMailbox", Identity="jsmith")
        assert len(shell.output) == 1
        # Two Receives more, or one on a busy machine: they timed out.
        assert sim.exchange.http_requests - before in (4, 5)


def test_a_running_pipeline_can_be_stopped(sim: Simulator) -> None:
    sim.exchange.behaviour.cmdlet_delays["Set-CASMailbox"] = 30
    with session(sim) as pool:
        shell = PowerShell(pool).add_cmdlet("Set-CASMailbox").add_parameters({"Identity": "jsmith", "PopEnabled": True})
        shell.begin_invoke()
        shell.stop()
        sim.exchange.behaviour.cmdlet_delays.clear()
        assert run(pool, "Get-CASMailbox", Identity="jsmith").output
    assert not pop_enabled(sim, "jsmith")


def test_another_users_shell_is_not_found(sim: Simulator) -> None:
    sim.users.add("other@contoso.com", PASSWORD, MAIL_RECIPIENTS)
    with session(sim) as pool, wsman(sim, user="other@contoso.com") as stranger:
        own, pool.shell.wsman = pool.shell.wsman, stranger
        with pytest.raises(WSManFaultError) as missing:
            run(pool, "Get-CASMailbox")
        assert missing.value.code == 2150858843
        pool.shell.wsman = own


def test_idle_shells_go_and_working_ones_stay(sim: Simulator) -> None:
    sim.exchange.behaviour.idle_timeout = 0.2
    sim.exchange.behaviour.cmdlet_delays["Get-CASMailbox"] = 0.4
    with session(sim) as pool:
        assert run(pool, "Get-CASMailbox", Identity="jsmith").output
        time.sleep(0.25)
        with pytest.raises(WSManFaultError) as gone:
            run(pool, "Get-CASMailbox")
        assert gone.value.code == 2150858843
        pool.shell.opened = False
    assert sim.exchange.shells[0].ending == Ending.IDLE


def test_too_many_shells_are_refused(sim: Simulator) -> None:
    sim.exchange.behaviour.max_shells_per_user = 1
    with session(sim) as pool:
        one_more = RunspacePool(wsman(sim), configuration_name="Microsoft.Exchange")
        with pytest.raises(WSManFaultError, match="maximum number of connections allowed : 1 for the policy party"):
            one_more.open()
        assert run(pool, "Get-CASMailbox", Identity="jsmith").output
    sim.exchange.behaviour.throttled_openings = 1
    with pytest.raises(WSManFaultError, match="AuthZ-AuthorizationException"), session(sim):
        pass
    with session(sim):
        pass
    assert len(sim.exchange.shells) == 2


def test_the_limit_of_shells_is_one_of_each_user_and_a_closed_shell_frees_its_place(sim: Simulator) -> None:
    sim.exchange.behaviour.max_shells_per_user = 2
    sim.users.add("other@contoso.com", PASSWORD, MAIL_RECIPIENTS)
    with session(sim), session(sim, user="other@contoso.com"), session(sim, user="OTHER@contoso.com"):
        with session(sim):
            with pytest.raises(WSManFaultError, match="connections allowed : 2 for the policy party : MaxConcurrency"):
                session(sim).__enter__()
            with pytest.raises(WSManFaultError, match="MaxConcurrency"):
                session(sim, user="Other@contoso.com").__enter__()
        with session(sim):
            assert len(sim.exchange.open_shells) == 4


@pytest.mark.parametrize(("when", "kept"), [("before", False), ("after", True)])
def test_a_session_can_be_dropped_around_a_cmdlet(sim: Simulator, when: Any, kept: bool) -> None:
    sim.exchange.behaviour.session_drops.append(SessionDrop("Set-CASMailbox", nth=2, when=when))
    with session(sim) as pool:
        run(pool, "Set-CASMailbox", Identity="support", PopEnabled=True)
        with pytest.raises(WSManFaultError) as gone:
            run(pool, "Set-CASMailbox", Identity="jsmith", PopEnabled=True)
        assert gone.value.code == 2150858843
        pool.shell.opened = False
    assert pop_enabled(sim, "jsmith") is kept
    assert pop_enabled(sim, "support")
    assert sim.exchange.shells[0].ending == Ending.KILLED


@pytest.mark.parametrize(
    ("effect", "kept"),
    [(ResetBeforeProcessing(), False), (ResetAfterProcessing(), True), (HalfResponse(), True), (Status(503), False)],
)
def test_a_network_fault_at_a_command(sim: Simulator, effect: Any, kept: bool) -> None:
    sim.exchange.faults.add(effect, action="Command", nth=2)
    with session(sim) as pool:
        run(pool, "Get-CASMailbox", Identity="jsmith")
        with pytest.raises((requests.RequestException, WinRMTransportError)):
            run(pool, "Set-CASMailbox", Identity="jsmith", PopEnabled=True)
        assert pop_enabled(sim, "jsmith") is kept
    assert sim.exchange.open_shells == []


def test_stop_does_not_wait_for_clients(sim: Simulator) -> None:
    sim.exchange.behaviour.cmdlet_delays["Get-CASMailbox"] = 60
    failures: list[Exception] = []

    def client() -> None:
        try:
            with session(sim) as pool:
                run(pool, "Get-CASMailbox")
        except (WSManFaultError, WinRMTransportError, requests.RequestException) as error:
            failures.append(error)

    thread = threading.Thread(target=client)
    thread.start()
    started = time.monotonic()
    while not sim.exchange.calls and time.monotonic() < started + 5:
        time.sleep(0.01)
    started = time.monotonic()
    sim.exchange.stop()
    thread.join()
    assert time.monotonic() - started < 30  # the cmdlet would take 60
    assert failures
    assert sim.exchange.shells[0].ending == Ending.STOPPED


def test_costs_take_time(sim: Simulator) -> None:
    sim.exchange.behaviour.costs = CostModel(
        round_trip=0.01, per_cmdlet=0.02, per_identity_lookup=0.03, per_set=0.04, per_bulk_object=0.005
    )
    with session(sim) as pool:
        started = time.monotonic()
        run(pool, "Set-CASMailbox", Identity="jsmith", PopEnabled=True)
        assert time.monotonic() - started >= 0.1
        started = time.monotonic()
        run(pool, "Get-CASMailbox")
        assert time.monotonic() - started >= 0.08


def test_a_session_that_takes_its_time_holds_up_no_other(sim: Simulator) -> None:
    sim.exchange.behaviour.costs = CostModel(per_set=600)
    with session(sim) as slow, session(sim) as other:
        shell = PowerShell(slow).add_cmdlet("Set-CASMailbox").add_parameters({"Identity": "jsmith", "PopEnabled": True})
        shell.begin_invoke()
        while not pop_enabled(sim, "jsmith"):
            time.sleep(0.01)
        assert property_of(run(other, "Get-CASMailbox", Identity="jsmith").output[0], "PopEnabled") is True
        assert run(other, "Set-CASMailbox", Identity="jsmith", PopEnabled=True).streams.warning
        shell.stop()


# --- cmdlets ----------------------------------------------------------------------------------------------------------


def test_set_and_get(sim: Simulator) -> None:
    with session(sim) as pool:
        changed = run(
            pool, "Set-CASMailbox", Identity="jsmith", PopEnabled=True, PopMessagesRetrievalMimeFormat="HtmlOnly"
        )
        assert (changed.output, changed.streams.error, changed.streams.warning) == ([], [], [])
        record = run(pool, "Get-CASMailbox", Identity="jsmith").output[0]
        assert property_of(record, "PopEnabled") is True
        assert str(property_of(record, "PopMessagesRetrievalMimeFormat")) == "HtmlOnly"
        again = run(pool, "Set-CASMailbox", Identity="jsmith", PopEnabled=1, PopMessagesRetrievalMimeFormat=1)
        assert [str(warning.message) for warning in again.streams.warning] == [
            "The command completed successfully but no settings of 'contoso.com/Users/John Smith' have been modified."
        ]
        run(pool, "Set-CASMailbox", Identity="jsmith", PopEnabled=False, WhatIf=True)
    assert pop_enabled(sim, "jsmith")


def test_errors_of_exchange(sim: Simulator) -> None:
    with session(sim) as pool:
        missing = run(pool, "Get-CASMailbox", Identity="nobody")
        ambiguous = run(pool, "Get-CASMailbox", Identity="Alex Meyer")
        quiet = run(pool, "Get-CASMailbox", Identity="nobody", ErrorAction="SilentlyContinue")
        stopped = run(pool, "Get-CASMailbox", ["nobody", "jsmith"], ErrorAction="Stop")
    error = missing.streams.error[0]
    assert not missing.had_errors
    assert str(error) == "The operation couldn't be performed because object 'nobody' couldn't be found on " + (
        "'DC01.contoso.com'."
    )
    assert error.message == "NotSpecified (:) [Get-CASMailbox], ManagementObjectNotFoundException"
    assert error_ids(missing)[0].startswith("[Server=MBX01,RequestId=")
    assert "] [FailureCategory=Cmdlet-ManagementObjectNotFoundException] " in error_ids(missing)[0]
    assert error_ids(missing)[0].endswith(",Microsoft.Exchange.Management.RecipientTasks.GetCASMailbox")
    assert "FailureCategory=Cmdlet-ManagementObjectAmbiguousException" in error_ids(ambiguous)[0]
    assert quiet.streams.error == []
    assert (stopped.had_errors, stopped.output) == (True, [])


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "expected"),
    [
        ("Get-Mailbox", {}, "CommandNotFoundException"),
        ("Select-Object", {"Property": "x"}, "CommandNotFoundException"),
        ("Set-CASMailbox", {"PopEnabled": True}, "MissingMandatoryParameter,"),
        ("Set-CASMailbox", {"Identity": None}, "ParameterArgumentValidationErrorNullNotAllowed,"),
        ("Set-CASMailbox", {"Identity": "jsmith", "PopEnabled": "True"}, "CannotConvertArgument,"),
        ("Set-CASMailbox", {"Identity": "jsmith", "PopFormat": 1}, "NamedParameterNotFound,"),
        ("Set-CASMailbox", {"Identity": "jsmith", "Pop": 1}, "AmbiguousParameter,"),
        ("Set-CASMailbox", {"Identity": "jsmith", "PopMessagesRetrievalMimeFormat": 9}, "CannotConvertArgumentNoMes"),
        ("Get-CASMailbox", {"Identity": ""}, "CannotConvertArgumentNoMessage,"),
        ("Get-CASMailbox", {"Identity": ["jsmith"]}, "CannotConvertArgumentNoMessage,"),
        ("Get-CASMailbox", {"ResultSize": "many"}, "CannotConvertArgumentNoMessage,"),
    ],
)
def test_errors_of_powershell_end_the_pipeline(
    sim: Simulator, cmdlet: str, parameters: dict[str, Any], expected: str
) -> None:
    with session(sim) as pool:
        shell = run(pool, cmdlet, **parameters)
    assert shell.had_errors
    assert error_ids(shell)[0].startswith(expected)
    assert not pop_enabled(sim, "jsmith")


def test_no_language_mode_takes_no_script(sim: Simulator) -> None:
    with session(sim) as pool:
        shell = PowerShell(pool).add_script("Get-CASMailbox")
        shell.invoke()
    assert error_ids(shell) == ["ScriptsNotAllowed"]
    assert sim.exchange.calls[0].is_script


def test_no_identity_means_everybody(sim: Simulator) -> None:
    with session(sim) as pool:
        assert len(run(pool, "Get-CASMailbox").output) == len(sim.organisation)
        assert len(run(pool, "Get-CASMailbox", Identity=None).output) == len(sim.organisation)
        assert len(run(pool, "Get-CASMailbox", OrganizationalUnit="Sales").output) == 3
        unknown = run(pool, "Get-CASMailbox", OrganizationalUnit="Paris")
    assert "ManagementObjectNotFoundException" in error_ids(unknown)[0]


def test_listings_are_cut_with_a_warning(sim: Simulator) -> None:
    for number in range(1000):
        sim.organisation.add_mailbox(f"User {number:04}")
    sim.exchange.behaviour.select_object_visible = True
    everybody = len(sim.organisation)
    counts = {}
    with session(sim) as pool:
        for size in (None, 2, everybody, "Unlimited"):
            shell = PowerShell(pool).add_cmdlet("Get-CASMailbox")
            if size is not None:
                shell.add_parameter("ResultSize", size)
            shell.add_cmdlet("Select-Object").add_parameter("Property", ["Guid", "popenabled", "Nothing"])
            records = shell.invoke()
            counts[size] = (len(records), [str(warning.message)[:10] for warning in shell.streams.warning])
            assert list(records[0].extended_properties) == ["Guid", "PopEnabled", "Nothing"]
    assert counts == {
        None: (1000, ["By default"]),
        2: (2, ["There are "]),
        everybody: (everybody, []),
        "Unlimited": (everybody, []),
    }


HARD_NAMES = [
    "O'Brien \"The; $(Get-Date) `n",
    "line\r\nbreak\ttab \x01",
    "_x0041_",
    "Emoji 😀 \U0001d4b3 🇩🇪",
    "Ümit Öztürk عربي 日本語",
    "<a>&amp;]]>",
    "$null",
    "*",
]


def test_text_arrives_unchanged_both_ways(sim: Simulator) -> None:
    for number, name in enumerate(HARD_NAMES):
        sim.organisation.add_mailbox(name, alias=f"hard{number}")
    with session(sim) as pool:
        for name in HARD_NAMES:
            named = run(pool, "Get-CASMailbox", Identity=name)
            assert [property_of(record, "Name") for record in named.output] == [name]
            missing = run(pool, "Get-CASMailbox", Identity="no " + name)
            assert f"object 'no {name}' couldn't" in str(missing.streams.error[0])
        piped = run(pool, "Get-CASMailbox", HARD_NAMES)
        assert [property_of(record, "Name") for record in piped.output] == HARD_NAMES
    assert sim.exchange.calls[0].parameters == {"Identity": HARD_NAMES[0]}
    assert sim.exchange.calls[-1].pipeline_input == HARD_NAMES


def test_pipeline_input_goes_one_after_the_other(sim: Simulator) -> None:
    with session(sim) as pool:
        shell = run(pool, "Set-CASMailbox", ["jsmith", "nobody", "pcolon", "Alex Meyer", "support"], PopEnabled=True)
        assert [error.reason for error in shell.streams.error] == [
            "ManagementObjectNotFoundException",
            "ManagementObjectAmbiguousException",
        ]
        assert len(shell.streams.warning) == 1
        both = run(pool, "Get-CASMailbox", ["jsmith"], Identity="pcolon")
    assert error_ids(both)[0].startswith("InputObjectNotBound,")
    assert pop_enabled(sim, "jsmith")
    assert pop_enabled(sim, "support")


def test_cmdlets_feed_each_other_and_statements_follow_each_other(sim: Simulator) -> None:
    with session(sim) as pool:
        shell = PowerShell(pool).add_cmdlet("Get-CASMailbox").add_parameter("OrganizationalUnit", "Sales")
        shell.add_cmdlet("Set-CASMailbox").add_parameter("PopEnabled", False)
        shell.add_statement().add_cmdlet("Get-Nothing")
        shell.add_statement().add_cmdlet("Get-CASMailbox").add_argument("jane")
        assert [property_of(record, "PopEnabled") for record in shell.invoke()] == [False]
        assert error_ids(shell) == ["CommandNotFoundException"]
    assert not pop_enabled(sim, "ameyer")
    assert [call.name for call in sim.exchange.calls] == [
        "Get-CASMailbox",
        "Set-CASMailbox",
        "Get-Nothing",
        "Get-CASMailbox",
    ]


def test_command_metadata(sim: Simulator) -> None:
    with session(sim) as pool:
        found = pool.get_command_metadata("*-CAS*")
    assert [command.name for command in found] == ["Get-CASMailbox", "Set-CASMailbox"]
    assert "PopEnabled" in (found[1].parameters or {})


def test_a_session_keeps_its_domain_controller(sim: Simulator) -> None:
    sim.organisation.replication_delay = 60
    with session(sim) as first, session(sim) as second:
        run(first, "Set-CASMailbox", Identity="jsmith", PopEnabled=True)

        def seen(pool: RunspacePool, **parameters: Any) -> tuple[Any, Any]:
            record = run(pool, "Get-CASMailbox", Identity="jsmith", **parameters).output[0]
            return property_of(record, "OriginatingServer"), property_of(record, "PopEnabled")

        assert seen(first) == ("DC01.contoso.com", True)
        assert seen(second) == ("DC02.contoso.com", False)
        assert seen(second, DomainController="dc01.contoso.com") == ("DC01.contoso.com", True)
        down = run(second, "Get-CASMailbox", Identity="jsmith", DomainController="dc9")
    assert "Cmdlet-SuitabilityDirectoryException" in error_ids(down)[0]


# --- roles and behaviours ---------------------------------------------------------------------------------------------


def test_roles_hide_cmdlets(sim: Simulator) -> None:
    sim.users.add("viewer", PASSWORD, VIEW_ONLY_RECIPIENTS)
    sim.users.add("nobody", PASSWORD)
    with session(sim, user="Viewer") as pool:
        assert run(pool, "Get-CASMailbox", Identity="jsmith").output
        assert error_ids(run(pool, "Set-CASMailbox", Identity="jsmith")) == ["CommandNotFoundException"]
    with session(sim, user="nobody") as pool:
        assert error_ids(run(pool, "Get-CASMailbox")) == ["CommandNotFoundException"]


def test_servers_and_their_groups(sim: Simulator) -> None:
    sim.organisation.add_server("EDGE01", roles=("Edge",), site="A/B")
    with session(sim) as pool:
        servers = {property_of(record, "Name"): record for record in run(pool, "Get-ExchangeServer").output}
        (dag,) = run(pool, "Get-DatabaseAvailabilityGroup").output
        members = run(pool, "Get-MailboxServer").output
        (one,) = run(pool, "Get-ExchangeServer", Identity="mbx02.contoso.com").output
        missing = run(pool, "Get-ExchangeServer", Identity="MBX09")
        no_dag = run(pool, "Get-DatabaseAvailabilityGroup", Identity="DAG9")
    assert list(servers) == ["MBX01", "MBX02", "EDGE01"]
    mbx01, edge01 = servers["MBX01"], servers["EDGE01"]
    assert mbx01.types[0] == "Microsoft.Exchange.Data.Directory.Management.ExchangeServer"
    assert str(property_of(mbx01, "AdminDisplayVersion")) == "Version 15.2 (Build 1748.10)"
    assert str(property_of(mbx01, "ServerRole")) == "Mailbox, ClientAccess"
    assert str(property_of(mbx01, "Site")) == "contoso.com/Configuration/Sites/Berlin"
    assert (property_of(edge01, "IsEdgeServer"), property_of(edge01, "IsMailboxServer")) == (True, False)
    assert str(property_of(edge01, "Site")) == "contoso.com/Configuration/Sites/A\\/B"
    assert property_of(dag, "Name") == "DAG1"
    assert property_of(dag, "Servers").property_sets == ["<LST><S>MBX01</S><S>MBX02</S></LST>"]
    assert [str(property_of(member, "DatabaseAvailabilityGroup")) for member in members] == ["DAG1", "DAG1"]
    assert property_of(one, "Name") == "MBX02"
    for shell in (missing, no_dag):
        assert "Cmdlet-ManagementObjectNotFoundException" in error_ids(shell)[0]


def test_only_who_may_see_the_configuration_sees_servers(sim: Simulator) -> None:
    sim.users.add("recipients", PASSWORD, MAIL_RECIPIENTS, VIEW_ONLY_RECIPIENTS)
    own_role = sim.users.add("viewer", PASSWORD, VIEW_ONLY_CONFIGURATION)
    own_role.hidden_cmdlets.add("get-mailboxserver")
    with session(sim, user="recipients") as pool:
        assert error_ids(run(pool, "Get-ExchangeServer")) == ["CommandNotFoundException"]
    with session(sim, user="viewer") as pool:
        assert len(run(pool, "Get-ExchangeServer").output) == 2
        assert error_ids(run(pool, "Get-MailboxServer")) == ["CommandNotFoundException"]


def test_denied_cmdlets_and_write_scopes(sim: Simulator) -> None:
    user = sim.users.add("berlin", PASSWORD, MAIL_RECIPIENTS, write_scope=("Sales/Berlin",))
    with session(sim, user="berlin") as pool:
        assert not run(pool, "Set-CASMailbox", Identity="ameyer", PopEnabled=False).streams.error
        outside = run(pool, "Set-CASMailbox", Identity="jane", PopEnabled=False)
        assert "isn't within your current write scopes" in str(outside.streams.error[0])
        user.denied_cmdlets.add("Get-CASMailbox")
        denied = run(pool, "Get-CASMailbox", Identity="jane")
    assert "[FailureCategory=AuthZ-CmdletAccessDeniedException]" in error_ids(denied)[0]
    assert "isn't assigned to any management roles" in str(denied.streams.error[0])
    assert pop_enabled(sim, "jane")
    assert not pop_enabled(sim, "ameyer")


def test_writes_that_are_lost_or_fail(sim: Simulator) -> None:
    behaviour = sim.exchange.behaviour
    behaviour.ignored_writes.add("jsmith@contoso.com")
    behaviour.failing_writes["support"] = Failure("no", "Microsoft.Exchange.Data.Directory.ADTransientException")
    behaviour.failing_reads["jane"] = Failure("no", "Microsoft.Exchange.Data.Directory.ADTransientException")
    behaviour.extra_warnings["set-casmailbox"] = ["Mind the gap."]
    with session(sim) as pool:
        shell = run(pool, "Set-CASMailbox", ["jsmith", "support"], PopEnabled=True)
        read = run(pool, "Get-CASMailbox", Identity="jane")
    assert "Cmdlet-ADTransientException" in error_ids(shell)[0]
    assert "Cmdlet-ADTransientException" in error_ids(read)[0]
    assert [warning.message for warning in shell.streams.warning] == ["Mind the gap."] * 2
    assert not pop_enabled(sim, "jsmith")
    assert not pop_enabled(sim, "support")


def test_records_may_arrive_in_other_forms(sim: Simulator) -> None:
    with session(sim) as pool:
        sim.exchange.behaviour.pop_enabled_form = "text"
        sim.exchange.behaviour.identity_form = "text"
        record = run(pool, "Get-CASMailbox", Identity="jsmith").output[0]
        assert property_of(record, "PopEnabled") == "False"
        assert property_of(record, "Identity") == "contoso.com/Users/John Smith"
        sim.exchange.behaviour.pop_enabled_form = "missing"
        record = run(pool, "Get-CASMailbox", Identity="jsmith").output[0]
        assert "PopEnabled" not in record.adapted_properties


def test_exchange_may_speak_french(sim: Simulator) -> None:
    sim.organisation.language = "fr"
    with session(sim) as pool:
        missing = run(pool, "Get-CASMailbox", Identity="personne")
    assert "« personne » est introuvable" in str(missing.streams.error[0])
    assert "FailureCategory=Cmdlet-ManagementObjectNotFoundException" in error_ids(missing)[0]
