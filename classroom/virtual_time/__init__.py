"""Asynchronous programs in virtual time: a day's sleep takes a millisecond, and times are exact.

Example:
    >>> async def both(desk):
    ...     await asyncio.gather(desk.client.get("/slow"), desk.client.get("/slower"))
    >>> in_virtual_time(both, app).seconds
    0.5
"""

from classroom.virtual_time.loop import StandstillError, VirtualLoop
from classroom.virtual_time.world import VirtualDesk, VirtualRun, in_virtual_time

__all__ = ["StandstillError", "VirtualDesk", "VirtualLoop", "VirtualRun", "in_virtual_time"]
