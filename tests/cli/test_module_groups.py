"""Every message and query of every module is a command, without a line written for it."""

from __future__ import annotations

import inspect

import click
import msgspec
import pytest

from tests.cli import notes
from tongbao.cli.main import root
from tongbao.cli.members import kebab
from tongbao.cli.module_groups import EXTRAS, installed, module_group, modules_with_commands
from tongbao.cli.terminal import Terminal
from tongbao.kernel import Module, Registry
from tongbao.kernel.schema import wire_name_of
from tongbao.modules.registry import MODULES

CTX = click.Context(root, obj=Terminal())


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_message_and_query_has_a_command(module: Module) -> None:
    """
    Given a module of the registry,
    when its group is asked for its commands,
    then there is one per message and one per query, and those that stand beside them.
    """
    group = root.get_command(CTX, module.name)
    assert isinstance(group, click.Group)
    messages = {kebab(wire_name_of(message).partition(".")[2]) for message in module.handlers}
    queries = {kebab(name) for name in module.queries}

    beside = set(EXTRAS.get(module.name, {}))
    assert set(group.list_commands(CTX)) == messages | queries | beside


def test_every_field_and_parameter_has_an_option() -> None:
    """
    Given all messages and queries,
    when the options of their commands are listed,
    then each field and parameter has one, and those without a default are required.
    """
    for module in MODULES:
        group = module_group(module)
        for message in module.handlers:
            command = group.commands[kebab(wire_name_of(message).partition(".")[2])]
            options = {each.name: each.required for each in command.params}
            fields = msgspec.structs.fields(message)
            expected = {f"member_{field.name}": field.required for field in fields}
            assert expected.items() <= options.items(), message
        for name, query in module.queries.items():
            options = {each.name: each.required for each in group.commands[kebab(name)].params}
            parameters = list(inspect.signature(query).parameters.values())[1:]
            empty = inspect.Parameter.empty
            expected = {f"member_{each.name}": each.default is empty for each in parameters}
            assert expected.items() <= options.items(), query


def test_the_kernel_has_no_commands() -> None:
    """
    Given that nobody sends messages to the kernel,
    when the modules with commands are listed,
    then they are those of the distribution in their order.
    """
    assert list(modules_with_commands(installed())) == [module.name for module in MODULES]


def test_a_module_of_others_gets_its_commands() -> None:
    """
    Given a registry with a module that this distribution does not know,
    when its group is made,
    then message and query are commands with options, help and example from the declarations.
    """
    registry = Registry((*MODULES, notes.module))
    group = module_group(modules_with_commands(registry)["notes"])

    assert sorted(group.commands) == ["keep-note", "note-of"]
    assert group.help == "Notes: a module that is not of this distribution."
    keep = group.commands["keep-note"]
    options = {each.opts[-1]: each.required for each in keep.params[:5]}
    assert options == {
        "--message-lane": True,
        "--weights": True,
        "--grade": True,
        "--urgent": False,
        "--note-hash": False,
    }
    assert keep.help == "Keep a note for later."
    assert keep.epilog == (
        "\b\nExample:\n  tongbao notes keep-note --message-lane 1 "
        "--weights '[1]' --grade text --as alice"
    )
