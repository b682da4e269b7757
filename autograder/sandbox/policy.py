"""What a lab grants to the code of a submission; whatever is not granted is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The grants of one lab; the defaults are the minimum that a FastAPI app needs.

    Attributes:
        memory: Bytes of private memory for the whole submission; with worker processes each
            process gets an equal share.
        cpu_seconds: Processor seconds of each process, a second line behind the deadlines.
        file_size: Bytes that any one file may hold, captured output included.
        open_files: File descriptors of each process.
        threads: Threads over all processes, where the kernel can count them (see `limits`).
        processes: Worker processes that may live beside the first; 0 forbids new processes.
        scratch: Folder that may be read and written, and working folder; None for no writing.
        scratch_size: Bytes that all files in the scratch folder may hold together.
        scratch_files: Files and folders that it may hold.
        folder: Working folder that may be read, such as one with the lab's data files; by
            default the scratch folder, else the root of the file system.
        readable: Further files and folders that may be read.
        programs: Programs that may be started. They run inside the same sandbox, and may
            make Unix sockets. They count as processes.
        upstream_port: The one TCP port of 127.0.0.1 that may be connected to.
        environment: Further environment variables, such as `UPSTREAM_URL`.
    """

    memory: int = 1024 * MIB
    cpu_seconds: int = 60
    file_size: int = 16 * MIB
    open_files: int = 512
    threads: int = 160
    processes: int = 0
    scratch: Path | None = None
    scratch_size: int = 64 * MIB
    scratch_files: int = 4096
    folder: Path | None = None
    readable: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()
    upstream_port: int | None = None
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def allows_processes(self) -> bool:
        """Whether a new process may be made at all."""
        return self.processes > 0 or bool(self.programs)

    @property
    def working_folder(self) -> Path:
        """The folder in which the submission's relative paths start."""
        return self.folder or self.scratch or Path("/")
