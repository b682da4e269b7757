"""A queue of jobs, as a broker keeps it: put, take, acknowledge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from classroom.upstream.answer import EMPTY, Answer, json_answer
from classroom.upstream.service import Service

if TYPE_CHECKING:
    from classroom.upstream.board import Board
    from classroom.upstream.call import Call
    from classroom.upstream.gate import Gate


@dataclass
class Job:
    """One job in a queue.

    Attributes:
        id: Its number, from 1, over all queues.
        queue: The queue's name.
        body: The JSON that was put.
        state: `waiting`, `taken` or `done`.
        deliveries: How many times it was taken.
    """

    id: int
    queue: str
    body: Any
    state: str = "waiting"
    deliveries: int = 0


class Queue(Service):
    """`POST /queue/{name}` puts, `POST /queue/{name}/take` takes, `.../ack/{id}` ends.

    A job that was taken and never acknowledged comes again when the owner calls `redeliver`,
    as a broker does when a worker has died.
    """

    name = "queue"
    title = "the queue"
    paths: ClassVar = {
        "/queue/{queue}": ["POST"],
        "/queue/{queue}/take": ["POST"],
        "/queue/{queue}/ack/{id:int}": ["POST"],
    }

    def __init__(self, *, board: Board, gates: list[Gate]) -> None:
        super().__init__(board=board, gates=gates)
        self._jobs: list[Job] = []

    def jobs(self, queue: str, *, state: str | None = None) -> tuple[Job, ...]:
        """Return a queue's jobs in the order of putting, or only those in one state."""
        return tuple(job for job in self._jobs if job.queue == queue and state in {None, job.state})

    def redeliver(self, queue: str) -> int:
        """Make every taken job of a queue wait again; return how many."""
        with self._board.changing():
            taken = self.jobs(queue, state="taken")
            for job in taken:
                job.state = "waiting"
        return len(taken)

    @override
    def answer(self, call: Call) -> Answer:
        queue = call.parameters["queue"]
        with self._board.changing():
            if "id" in call.parameters:
                return self._acknowledge(queue, int(call.parameters["id"]))
            return self._take(queue) if call.path.endswith("/take") else self._put(queue, call.json)

    @override
    def reset(self) -> None:
        super().reset()
        self._jobs.clear()

    def _put(self, queue: str, body: Any) -> Answer:
        job = Job(id=len(self._jobs) + 1, queue=queue, body=body)
        self._jobs.append(job)
        return json_answer({"id": job.id}, status=201)

    def _take(self, queue: str) -> Answer:
        job = next(iter(self.jobs(queue, state="waiting")), None)
        if job is None:
            return EMPTY
        job.state = "taken"
        job.deliveries += 1
        return json_answer({"id": job.id, "body": job.body, "deliveries": job.deliveries})

    def _acknowledge(self, queue: str, number: int) -> Answer:
        job = next((job for job in self.jobs(queue, state="taken") if job.id == number), None)
        if job is None:
            return json_answer({"detail": f"Job {number} is not taken."}, status=404)
        job.state = "done"
        return EMPTY
