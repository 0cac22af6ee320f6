"""How one step becomes HTTP: a registry of actions, one file each."""

from __future__ import annotations

from runner.actions.base import Action, Exchange, FileContent, Job
from runner.actions.call import call
from runner.actions.pages import pages
from runner.actions.request import operation_of as raw_operation
from runner.actions.request import request
from runner.actions.upload import upload
from runner.model.command import Perform
from runner.model.provider import Operation

__all__ = ["ACTIONS", "Action", "Exchange", "FileContent", "Job", "action_of", "raw_operation"]

ACTIONS: dict[str, Action] = {
    "call": call,
    "pages": pages,
    "request": request,
    "upload": upload,
}


def action_of(command: Perform, operation: Operation) -> Action:
    """Which action carries out this command: decided by the operation's data, never by its name."""
    if command.step.request is not None:
        return ACTIONS["request"]
    if operation.pages is not None:
        return ACTIONS["pages"]
    return ACTIONS["upload" if operation.body == "multipart" else "call"]
