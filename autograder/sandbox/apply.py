"""Puts every layer of the sandbox around the running process, in the order that works."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping

from autograder.sandbox import (
    folders,
    landlock,
    limits,
    privileges,
    readable,
    seccomp,
    surroundings,
    verify,
)
from autograder.sandbox.layers import Applied, Layer
from autograder.sandbox.namespaces import World
from autograder.sandbox.policy import Policy


def apply(
    policy: Policy,
    *,
    world: World | None = None,
    user: int | None = None,
    without: frozenset[Layer] = frozenset(),
) -> Applied:
    """Confine this process and all that it will start, for good.

    Call it in a child, after `fork` and before any thread, with descriptors already closed.
    A layer that fails is reported and the others are still put on: the caller decides by the
    level whether that is enough.

    Args:
        policy: What is granted.
        world: Namespaces that the process is already in.
        user: Unprivileged user id to change to, used by no other process; None to stay.
        without: Layers to leave out, because a probe found that they do not hold here.
    """
    world = world or World()
    put = _Layers(without)
    user = None if Layer.USER in without else user
    os.umask(0o077)
    surroundings.replace_environment(surroundings.environment(policy))
    if user is not None and policy.scratch:
        folders.give(policy.scratch, user)

    alone = user is not None or world.user
    put.on(Layer.LIMITS, lambda: limits.limit(policy, count_processes=alone))
    put.on(Layer.NO_NEW_PRIVILEGES, privileges.refuse_new_privileges)
    with contextlib.ExitStack() as open_rules:
        rules = -1

        def make_rules() -> None:  # before the change of user, who may not reach these paths
            nonlocal rules
            ports = [] if policy.upstream_port is None else [policy.upstream_port]
            files = readable.grants(policy)
            rules = open_rules.enter_context(landlock.ruleset(files=files, ports=ports))

        put.on(Layer.FILES, make_rules)
        bounded = Layer.FILES in put.held
        if user is not None:
            put.on(Layer.USER, lambda: _become(user, bounded=bounded))
        if bounded:
            put.on(Layer.FILES, lambda: landlock.restrict(rules))
    put.on(
        Layer.CAPABILITIES,
        lambda: privileges.drop_capabilities(
            keep_reading={Layer.FILES, Layer.USER} <= put.held and not readable.by_anybody()
        ),
    )
    os.chdir(policy.working_folder)
    privileges.close_memory()
    privileges.die_with_parent()
    put.implied(_brought_by_landlock(), by=Layer.FILES)
    put.held |= _brought_by(world) - without
    signals = bool(put.held & {Layer.SCOPE, Layer.PROCESSES})
    put.on(Layer.CALLS, lambda: seccomp.restrict(policy, signals_bounded=signals))
    for layer, problem in verify.missing(put.held, world, user).items():
        put.held.discard(layer)
        put.missing[layer] = problem
    return Applied(frozenset(put.held), put.missing)


class _Layers:
    """What holds so far, and why the rest does not."""

    def __init__(self, without: frozenset[Layer]) -> None:
        self.without = without
        self.held: set[Layer] = set()
        self.missing: dict[Layer, str] = dict.fromkeys(without, "left out")

    def on(self, layer: Layer, act: Callable[[], None]) -> None:
        """Put one layer on and note how that went."""
        if layer in self.without:
            return
        try:
            act()
        except OSError as error:
            self.held.discard(layer)
            self.missing[layer] = str(error)
        else:
            self.held.add(layer)

    def implied(self, layers: Mapping[Layer, bool], *, by: Layer) -> None:
        """Note layers that come with another one, where the kernel knows them."""
        for layer, known in layers.items():
            if layer in self.without:
                continue
            if by in self.held and known:
                self.held.add(layer)
            else:
                self.missing[layer] = self.missing.get(by, "this kernel's Landlock is too old")


def _brought_by_landlock() -> dict[Layer, bool]:
    version = landlock.abi()
    return {
        Layer.PORTS: version >= landlock.TCP_ABI,
        Layer.SCOPE: version >= landlock.SCOPE_ABI,
    }


def _brought_by(world: World) -> set[Layer]:
    brought = {
        Layer.PROCESSES: world.processes,
        Layer.NETWORK: world.network,
        Layer.MOUNTS: world.mounts,
        Layer.BUBBLEWRAP: world.bubblewrap,
    }
    return {layer for layer, there in brought.items() if there}


def _become(user: int, *, bounded: bool) -> None:
    """Change the user, unless Python would then not find its own library.

    Where Landlock bounds what is read, file permissions need not, so an interpreter in
    root's home is no obstacle.
    """
    if not bounded and not privileges.can_read(user, readable.python_folders()):
        raise PermissionError(1, "another user could not read this Python")
    privileges.become(user, keep_reading=bounded and not readable.by_anybody())
