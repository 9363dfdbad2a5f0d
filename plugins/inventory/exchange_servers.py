# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin exchange_servers: its documentation and its face to Ansible; the work is in module_utils."""

from __future__ import annotations

DOCUMENTATION = r"""
name: exchange_servers
short_description: The Exchange servers of an organisation, as Exchange itself lists them
version_added: 0.1.0
description:
  - Asks one server for all servers of the organisation, as C(Get-ExchangeServer) lists them, so that a server which was
    installed yesterday is in the play of today.
  - "The group C(exchange) has every server that serves POP3: those with the role Mailbox or Client Access. That is the
    group to restart."
  - Such servers are also grouped by role (C(exchange_mailbox), C(exchange_client_access)), by product
    (C(exchange_2013), C(exchange_2016), C(exchange_2019), C(exchange_se)), by Active Directory site
    (C(exchange_site_berlin)) and by database availability group (C(exchange_dag_dag1)). In these names, letters are
    small, and what Ansible does not accept in the name of a group is an underscore.
  - An Edge Transport server is in the group C(exchange_edge) and in no other. It is no member of the domain and serves
    no POP3, so that no play on the other groups reaches it by mistake; O(keyed_groups) can put it elsewhere.
  - "The host variable C(ansible_host) is the full name. C(exchange_server) is a dictionary of what Exchange says of the
    server: C(name) and C(fqdn); C(roles), a list of C(mailbox), C(client_access) or C(edge); C(version) as in
    V(15.2.1748.10), and of that C(build) as in V(1748.10) and C(product) as in V(2019) or V(SE); C(site), C(dag) and
    C(edition). What is not known is V(null). Security updates do not show in the version."
  - The user needs the management role View-Only Configuration, which the role groups View-Only Organization Management
    and Organization Management have. Where the user may not see the database availability groups, their groups are left
    out with a warning.
notes:
  - The name of the inventory file has to end in C(exchange_servers.yml) or C(exchange_servers.yaml).
  - "Ansible goes on without an inventory source that failed: a play on C(exchange) then has no host and is green. Set
    C(any_unparsed_is_failed = true) in the section C([inventory]) of C(ansible.cfg), so that it stops."
  - With a cache, a new server is seen when the cache has timed out, or with C(--flush-cache).
  - A server that was taken out of service without being uninstalled is still listed. Leave it out where the hosts are
    chosen, as in C(exchange:!exchange_site_closed).
options:
  plugin:
    description:
      - This plugin.
    type: str
    required: true
    choices: [mailops.exchange.exchange_servers]
  hostname:
    description:
      - What a server is called in the inventory, in small letters. C(ansible_host) is its full name in either case.
    type: str
    default: name
    choices:
      name: Its name, such as C(mbx01); its full name where that is the name of a group.
      fqdn: Its full name, such as C(mbx01.contoso.com).
extends_documentation_fragment:
  - mailops.exchange.connection.inventory
  - mailops.exchange.connection.common
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
seealso:
  - module: mailops.exchange.exchange_pop3_access
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
# contoso.exchange_servers.yml, for Kerberos with a ticket that kinit has fetched. Look at it with:
# ansible-inventory -i contoso.exchange_servers.yml --graph
plugin: mailops.exchange.exchange_servers
connection_uri: http://mbx01.contoso.com/PowerShell/

---
# Address, user and password from EXCHANGE_CONNECTION_URI, EXCHANGE_USERNAME and EXCHANGE_PASSWORD.
plugin: mailops.exchange.exchange_servers

---
# The password from a place of your own. One that was encrypted with ansible-vault encrypt_string works too.
plugin: mailops.exchange.exchange_servers
connection_uri: http://mbx01.contoso.com/PowerShell/
username: inventory@CONTOSO.COM
password: "{{ lookup('ansible.builtin.file', '/run/secrets/exchange') }}"

---
# How Ansible reaches the servers, a group of your own, and one group for each edition.
plugin: mailops.exchange.exchange_servers
connection_uri: http://mbx01.contoso.com/PowerShell/
hostname: fqdn
compose:
  ansible_connection: "'psrp'"
  ansible_psrp_auth: "'kerberos'"
groups:
  out_of_support: exchange_server.product in ['2013', '2016', '2019']
keyed_groups:
  - prefix: edition
    key: exchange_server.edition | lower
strict: true

---
# Ask Exchange at most once in ten minutes.
plugin: mailops.exchange.exchange_servers
connection_uri: http://mbx01.contoso.com/PowerShell/
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.ansible/tmp/exchange_servers
cache_timeout: 600
"""

import os
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.mailops.exchange.plugins.module_utils._core._server import NoHostName, Server, host_names
from ansible_collections.mailops.exchange.plugins.module_utils._errors import ExchangeError
from ansible_collections.mailops.exchange.plugins.module_utils._module._connection import CONNECTION_ARGUMENTS
from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import Params, Say
from ansible_collections.mailops.exchange.plugins.module_utils._module._exchange_servers import (
    CONNECTION_OPTIONS,
    FROM_ENVIRONMENT,
    inventory_connection,
    recalled,
    remembered,
    servers_over,
)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    NAME = "mailops.exchange.exchange_servers"

    def verify_file(self, path: str) -> bool:
        """Whether it is a file for this plugin, by its name."""
        suffixes = ("exchange_servers.yml", "exchange_servers.yaml")
        return bool(super().verify_file(path)) and path.endswith(suffixes)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory: with all servers, or, where that fails, with none."""
        super().parse(inventory, loader, path, cache)
        given = self._read(path)
        try:
            named = host_names(self._servers(given, path, cache), self.get_option("hostname"))
        except (ExchangeError, NoHostName) as exc:
            raise AnsibleParserError(str(exc)) from None
        for host, server in named.items():
            self._add(host, server)

    def _read(self, path: str) -> Params:
        """Read the file, and return what it gives."""
        try:
            given: Params = self._read_config_data(path)
        except AnsibleError as exc:
            # Not with its place in the file: Ansible would show the lines around it, and one may be the password.
            raise AnsibleParserError(str(exc)) from None
        unknown = sorted(set(given) - set(self.option_definitions))
        if unknown:
            raise AnsibleParserError(
                f"{', '.join(unknown)}: no such option. ansible-doc -t inventory {self.NAME} has those that there are."
            )
        return given

    def set_options(
        self,
        task_keys: Params | None = None,
        var_options: Params | None = None,
        direct: Params | None = None,
    ) -> None:
        """Take the options. In those of the connection, templates are resolved before Ansible looks at their types."""
        resolved = {name: self._resolved(name, value) for name, value in (direct or {}).items()}
        super().set_options(task_keys=task_keys, var_options=var_options, direct=resolved)

    def _resolved(self, name: str, value: Any) -> Any:
        """Return what an option of the connection means. Extra variables (``-e``) can be used in it."""
        if name not in CONNECTION_OPTIONS:
            return value
        self.templar.available_variables = self._vars
        try:
            resolved = self.templar.template(value)
        except AnsibleError as exc:
            raise AnsibleParserError(f"{name} could not be worked out: {exc}") from None
        if CONNECTION_ARGUMENTS[name]["type"] != "bool":
            return resolved
        try:
            return boolean(resolved)
        except TypeError:
            # Ansible would take it for false, and validate_certs with it.
            raise AnsibleParserError(f"{name} is neither true nor false.") from None

    def _servers(self, given: Params, path: str, cache: bool) -> list[Server]:
        """Return the servers, from the cache where it is on, has them, and is not to be renewed."""
        connection = inventory_connection(self._connection_options(given), os.environ)
        caching, key = self.get_option("cache"), self.get_cache_key(path)
        kept = recalled(self._cache.get(key), connection) if caching and cache else None
        if kept is not None:
            return kept
        servers = servers_over(connection, Say(warn=self.display.warning, note=self.display.v))
        if caching:
            self._cache[key] = remembered(servers, connection)
        return servers

    def _connection_options(self, given: Params) -> Params:
        """Return the options of the connection.

        What the environment may give is left to the code that the modules have for it: a password belongs to the user
        that it comes with.
        """
        from_file = [name for name in CONNECTION_OPTIONS if name in given or name not in FROM_ENVIRONMENT]
        return dict.fromkeys(FROM_ENVIRONMENT) | {name: self.get_option(name) for name in from_file}

    def _add(self, host: str, server: Server) -> None:
        self.inventory.add_host(host)
        if server.fqdn:
            self.inventory.set_variable(host, "ansible_host", server.fqdn)
        self.inventory.set_variable(host, "exchange_server", server.facts())
        for group in server.groups:
            self.inventory.add_group(group)
            self.inventory.add_child(group, host)
        self._construct(host)

    def _construct(self, host: str) -> None:
        """What the user composes of it: variables, and groups that may use these."""
        strict = self.get_option("strict")
        variables = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        variables = self.inventory.get_host(host).get_vars()
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)
