"""The verbs, one per file. This floor alone prints and exits."""

from __future__ import annotations

import importlib
import os
import sys

import click

from runner import exit_codes
from runner.commands.say import say_problems
from runner.model.problem import GuardError, JournalError, ProblemError
from runner.version import VERSION

# Verb: what it does in one line. Each lives in runner/commands/<verb>.py and is imported when it is used.
VERBS: dict[str, str] = {
    "doctor": "Credentials, clock, signature, reachability.",
    "explain": "One client's story in plain words.",
    "forget": "Remove what the journal says of a client; money stays provable.",
    "halt": "Stop money at once; --off ends it.",
    "listen": "An inbox for webhooks, beside the runs that wait for them.",
    "plan": "The exact calls per client, totals of calls and money; offline.",
    "providers": "Provider packs, their operations and error codes.",
    "reconcile": "Compare a run with the provider's own list, both ways.",
    "recover": "Settle what is unknown by look-up, then go on.",
    "rehearse": "Run a playbook against the embedded sandbox; nothing else needed.",
    "resume": "Go on with a run that was interrupted, parked or cut off.",
    "retry": "New attempts for rejected clients; rows may be corrected.",
    "run": "Validate, plan and carry out a playbook.",
    "runs": "The list of runs in the state folder.",
    "sandbox": "Serve local providers over real HTTP.",
    "schema": "Print a JSON Schema.",
    "status": "Where everyone of a run is.",
    "validate": "Check playbooks: schema, names, templates, enums, money rules; offline.",
}


class Verbs(click.Group):
    """Imports a verb only when it is asked for: `validate` must not pay for `run`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"runner.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from runner.nearest import did_you_mean

        name = args[0] if args else ""
        if name and name not in VERBS and not name.startswith("-"):
            hint = did_you_mean(name, VERBS) or f"verbs: {', '.join(sorted(VERBS))}"
            raise click.UsageError(f'there is no verb "{name}": {hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(sorted(VERBS.items()))


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 some rejected, 2 nothing sent, 3 guard, 4 waiting, 5 unknown, 6 unreachable, "
    "7 differences, 70 our bug, 130 interrupted.",
)
@click.version_option(VERSION, prog_name="onboard", message="%(prog)s %(version)s")
def onboard() -> None:
    """Onboard batches of clients onto fintech providers from reviewed YAML playbooks."""


def enter(words: list[str]) -> int:
    """Run one verb and turn whatever ends it into words and an exit code."""
    try:
        code = onboard.main(args=words, prog_name="onboard", standalone_mode=False)
        sys.stdout.flush()
    except GuardError as error:
        say_problems(error.problems)
        return exit_codes.GUARDED
    except ProblemError as error:
        say_problems(error.problems)
        return exit_codes.WRONG
    except JournalError as error:
        say_problems([error.problem])
        return exit_codes.GUARDED
    except click.UsageError as error:
        return _usage(error)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()} [usage]", err=True)
        return exit_codes.WRONG
    except Exception as error:
        return _bug(error)
    return code if isinstance(code, int) else exit_codes.OK


def _usage(error: click.UsageError) -> int:
    message = error.format_message()
    click.echo(f"error: {message[:1].lower()}{message[1:].rstrip('.')} [usage]", err=True)
    if error.ctx is not None:
        click.echo(f'   = see "{error.ctx.command_path} --help"', err=True)
    return exit_codes.WRONG


def _bug(error: Exception) -> int:
    """Our own mistake: one page, ready to paste, without secrets."""
    import platform
    import traceback

    from runner.redact import Redactor

    secrets = [value for name, value in os.environ.items() if len(value) >= 8 and _is_secret(name)]
    redactor = Redactor(secrets)
    page = [
        "this is a bug of onboarding-runner, not of your files; please report it with the lines below",
        f"version {VERSION}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        redactor.text("".join(traceback.format_exception(error)).rstrip()),
        'what was sent is in the journal: "onboard status" tells, "onboard resume" goes on',
    ]
    click.echo("\n".join(page), err=True)
    return exit_codes.BUG


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("KEY", "SECRET", "TOKEN", "PASSWORD"))
