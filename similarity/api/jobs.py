"""Routes of jobs: changes in the background, as the pages show them too, with their progress as events."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.sse import EventSourceResponse, ServerSentEvent

from similarity.api.answers import JobFacts, JobList, Json
from similarity.api.callers import NOT_TO_CHANGE, Admitted, Changing
from similarity.api.job_facts import job_facts
from similarity.errors import QuotaError
from similarity.service.jobs import Job, shared_jobs

# Requests that wait for events, each of which keeps a connection open.
MOST_LISTENING, MOST_OF_CALLER = 200, 10
EVERY_SECONDS = 0.25
TOO_MANY = "Too many requests are waiting for events of jobs: end some of them, or ask for the job itself."
Number = Annotated[int, Path(ge=1, le=1 << 53)]
router = APIRouter(tags=["jobs"])
_listening: Counter[str] = Counter()


async def find_job(number: Number, caller: Admitted) -> Job:
    """Return a job on a gallery that the caller may search; raises HTTPException if there is none of that number."""
    found = next((job for job in shared_jobs().listed() if job.number == number), None)
    if found is None or not caller.may_read(found.directory.name):
        raise HTTPException(404, f"There is no job {number}.")
    return found


async def listen(caller: Admitted) -> AsyncIterator[None]:
    """Count a request that waits for events until it is over; raises QuotaError if there are too many."""
    name = caller.key.name if caller.key else caller.visitor.network
    if _listening[name] >= MOST_OF_CALLER or _listening.total() >= MOST_LISTENING:
        raise QuotaError(TOO_MANY)
    _listening[name] += 1
    try:
        yield
    finally:
        _listening.subtract([name])
        if not _listening[name]:
            del _listening[name]


def is_server_ending() -> bool:
    """Whether the web server (uvicorn) was asked to end, which it does once all answers are complete.

    It tells nobody before, and takes the signal with a method of its own.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))


Found = Annotated[Job, Depends(find_job)]


@router.get("/jobs", response_model=JobList)
def list_jobs(caller: Admitted) -> Json:
    """List the jobs on galleries that the caller may search."""
    return {"jobs": [job_facts(job, caller) for job in shared_jobs().listed() if caller.may_read(job.directory.name)]}


@router.get("/jobs/{number}", response_model=JobFacts)
def get_job(job: Found, caller: Admitted) -> Json:
    """Return a job: how far it is, and how it ended."""
    return job_facts(job, caller)


@router.delete("/jobs/{number}", response_model=JobFacts)
def cancel_job(job: Found, caller: Changing) -> Json:
    """Cancel a job, which then ends at its next step, with its gallery as it was; one that has ended stays as it is."""
    if not caller.may_change(job.directory.name):
        raise HTTPException(403, NOT_TO_CHANGE)
    if job.is_active:
        job.cancel(caller.actor)
    return job_facts(job, caller)


@router.get("/jobs/{number}/events", response_class=EventSourceResponse, dependencies=[Depends(listen)])
async def watch_job(job: Found, caller: Admitted) -> AsyncIterator[ServerSentEvent]:
    """Send the facts of a job whenever they change: as events `progress`, and at last one that is named `end`."""
    sent: Json = {}
    while job.is_active:
        if is_server_ending():
            return
        if (facts := job_facts(job, caller)) != sent:
            yield ServerSentEvent(event="progress", data=facts)
            sent = facts
        await asyncio.sleep(EVERY_SECONDS)
    yield ServerSentEvent(event="end", data=await asyncio.to_thread(job_facts, job, caller))  # which reads the disk
