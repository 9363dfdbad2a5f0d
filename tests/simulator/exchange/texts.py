# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Exchange says, in the language of the organisation. Nothing matches on these texts.

The English ones are as documented or as users report them (`docs` sources: see the project's facts page). The French
ones are translations in the style of a French server, not copies: they are here because the texts of a real server are
localized, so nothing may depend on their wording.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """Templates for `str.format`."""

    not_found: str
    ambiguous: str
    not_modified: str
    first_thousand: str
    more_results: str
    no_role: str
    out_of_scope: str
    too_many_connections: str
    unit_not_found: str
    unit_ambiguous: str
    domain_controller_down: str
    filter_not_bound: str
    filter_syntax: str
    filter_unknown_property: str
    filter_unsupported_operator: str
    filter_bad_value: str
    restart_pop3: str
    bad_pop_setting: str


ENGLISH = Texts(
    not_found="The operation couldn't be performed because object '{identity}' couldn't be found on '{dc}'.",
    ambiguous="The operation couldn't be performed because '{identity}' matches multiple entries.",
    not_modified="The command completed successfully but no settings of '{identity}' have been modified.",
    # Reported with this wording since Exchange 2010.
    first_thousand=(
        "By default, only the first 1000 items are returned. Use the ResultSize parameter to specify the number of "
        'items returned. To return all items, specify "-ResultSize Unlimited". Be aware that, depending on the actual '
        "number of items, returning all items can take a long time and consume a large amount of memory. Also, we "
        "don't recommend storing the results in a variable. Instead, pipe the results to another task or script to "
        "perform batch changes."
    ),
    # Reported.
    more_results=(
        "There are more results available than are currently displayed. To view them, increase the value for the "
        "ResultSize parameter."
    ),
    # Microsoft's support articles (Hybrid Configuration wizard, KB 3058293).
    no_role='The user "{user}" isn\'t assigned to any management roles.',
    # Reported.
    out_of_scope=(
        "The operation on Identity \"{identity}\" failed because it's out of the current user's write scope. "
        "'{canonical}' isn't within your current write scopes. Can't perform save operation."
    ),
    too_many_connections=(
        "[FailureCategory=AuthZ-AuthorizationException] Fail to create a runspace because you have exceeded the "
        "maximum number of connections allowed : {limit} for the policy party : MaxConcurrency. Please close existing "
        "runspace and try again."
    ),
    # Reported.
    unit_not_found=('Organizational unit "{unit}" was not found. Please make sure you have typed it correctly.'),
    # Inferred.
    unit_ambiguous='Organizational unit "{unit}" isn\'t unique. Please specify a unique name, and try again.',
    # Reported.
    domain_controller_down=(
        "An Active Directory error 0x51 occurred when trying to check the suitability of server '{dc}'. Error: 'Active "
        "directory response: The LDAP server is unavailable.'"
    ),
    # Reported (MicrosoftDocs/office-docs-powershell#8321, MicrosoftDocs/OfficeDocs-Support#953).
    filter_not_bound='Cannot bind parameter \'Filter\' to the target. Exception setting "Filter": "{reason}"',
    filter_syntax=(
        "Invalid filter syntax. For a description of the filter parameter syntax see the command help.\n"
        '"{filter}" at position {position}.'
    ),
    # The first two sentences are reported.
    filter_unknown_property=(
        '"{property}" is not a recognized filterable property. Valid property names are: {valid}.\n'
        '"{filter}" at position {position}.'
    ),
    # Inferred, like the next one.
    filter_unsupported_operator=(
        'The operator "{operator}" isn\'t supported for the property "{property}".\n"{filter}" at position {position}.'
    ),
    filter_bad_value=(
        'Cannot convert value "{value}" to type "{type}" for the property "{property}".\n'
        '"{filter}" at position {position}.'
    ),
    # Reported; no page of Microsoft's has it.
    restart_pop3=(
        "Changes to POP3 settings will only take effect after all Microsoft Exchange POP3 services are restarted on "
        "server {server}."
    ),
    # The first sentence is that of other parameters; the rest is inferred.
    bad_pop_setting=(
        'Cannot bind parameter \'{parameter}\' to the target. Exception setting "{parameter}": "The value must be '
        'between {least} and {most}. The current value is {value}."'
    ),
)

FRENCH = Texts(
    not_found="Impossible d'effectuer l'opération, car l'objet « {identity} » est introuvable sur « {dc} ».",
    ambiguous="Impossible d'effectuer l'opération, car « {identity} » correspond à plusieurs entrées.",
    not_modified=("La commande s'est terminée correctement, mais aucun paramètre de « {identity} » n'a été modifié."),
    first_thousand=(
        "Par défaut, seuls les 1000 premiers éléments sont renvoyés. Utilisez le paramètre ResultSize pour indiquer le "
        "nombre d'éléments à renvoyer. Pour renvoyer tous les éléments, indiquez « -ResultSize Unlimited »."
    ),
    more_results=(
        "Il existe plus de résultats que ceux qui sont affichés. Pour les voir, augmentez la valeur du paramètre "
        "ResultSize."
    ),
    no_role="Aucun rôle de gestion n'est attribué à l'utilisateur « {user} ».",
    out_of_scope=(
        "L'opération sur l'identité « {identity} » a échoué : « {canonical} » ne se trouve pas dans vos étendues "
        "d'écriture actuelles. Impossible d'effectuer l'enregistrement."
    ),
    too_many_connections=(
        "[FailureCategory=AuthZ-AuthorizationException] Impossible de créer une instance d'exécution : vous avez "
        "dépassé le nombre maximal de connexions autorisées : {limit} pour la stratégie : MaxConcurrency."
    ),
    unit_not_found="L'unité d'organisation « {unit} » est introuvable. Vérifiez que vous l'avez saisie correctement.",
    unit_ambiguous="L'unité d'organisation « {unit} » n'est pas unique. Indiquez un nom unique, puis réessayez.",
    domain_controller_down=(
        "Une erreur Active Directory 0x51 s'est produite lors de la vérification de l'adéquation du serveur « {dc} »."
    ),
    filter_not_bound=(
        "Impossible de lier le paramètre « Filter » à la cible. Exception lors de la définition de « Filter » : "
        "« {reason} »"
    ),
    filter_syntax=(
        "Syntaxe de filtre non valide. Pour une description de la syntaxe du paramètre filter, consultez l'aide de la "
        "commande.\n« {filter} » à la position {position}."
    ),
    filter_unknown_property=(
        "« {property} » n'est pas une propriété de filtre reconnue. Les noms de propriété valides sont : {valid}.\n"
        "« {filter} » à la position {position}."
    ),
    filter_unsupported_operator=(
        "L'opérateur « {operator} » n'est pas pris en charge pour la propriété « {property} ».\n"
        "« {filter} » à la position {position}."
    ),
    filter_bad_value=(
        "Impossible de convertir la valeur « {value} » en type « {type} » pour la propriété « {property} ».\n"
        "« {filter} » à la position {position}."
    ),
    restart_pop3=(
        "Les modifications des paramètres POP3 ne prendront effet qu'après le redémarrage de tous les services "
        "Microsoft Exchange POP3 sur le serveur {server}."
    ),
    bad_pop_setting=(
        "Impossible de lier le paramètre « {parameter} » à la cible : la valeur {value} doit être comprise entre "
        "{least} et {most}."
    ),
)


def texts(language: str) -> Texts:
    """The texts of a language; English for one that is not here."""
    return FRENCH if language.lower().startswith("fr") else ENGLISH
