"""Worker processes are forked, whatever this Python would do; a submission may still choose."""

from multiprocessing.context import DefaultContext, ForkServerContext

from autograder.child.preload import fork_by_default


def test_workers_are_forked_where_nothing_was_chosen():
    """As on Python 3.14, whose default is a server on a Unix socket."""
    context = DefaultContext(ForkServerContext())
    fork_by_default(context)
    assert context.get_start_method() == "fork"


def test_a_choice_stays_possible_and_stays():
    """`set_start_method` works once, as in a kernel, and is not overruled."""
    context = DefaultContext(ForkServerContext())
    fork_by_default(context)
    context.set_start_method("spawn")
    fork_by_default(context)
    assert context.get_start_method() == "spawn"
