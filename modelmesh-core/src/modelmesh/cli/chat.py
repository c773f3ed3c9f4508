"""``modelmesh chat``: one question, or a conversation."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from attrs import field, frozen

from modelmesh.cli.failures import show_error, show_note
from modelmesh.cli.target import Target, client_options
from modelmesh.cli.terminal import clean, console

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh.client import MeshClient

Message = dict[str, str]
LEAVE = ("/exit", "/quit")
COMMAND = re.compile(r"/[a-z]+")
HELP = """/help   shows this
/new    forgets the conversation so far
/why    shows which models were tried for the last answer
/exit   ends; so does Ctrl-D
Ctrl-C  stops an answer, and keeps the conversation"""

EPILOG = """\b
Examples:
  modelmesh chat "Name three colours"
  git diff | modelmesh chat --system "Review this change" --max-tokens 400
  modelmesh chat --provider groq --why "What is the capital of France?"
  modelmesh chat --config modelmesh.yaml --json "Say yes" | jq .usage
"""


@frozen
class Question:
    """How every request of the command is made.

    Attributes:
        client: Asks.
        pool: Capability or pool to ask for.
        parameters: Beside the messages: ``max_tokens``, ``temperature``.
        stream: Whether the answer is shown as it comes.
        why: Whether the attempts are shown afterwards.
    """

    client: MeshClient
    pool: str
    parameters: dict[str, Any] = field(factory=dict)
    stream: bool = True
    why: bool = False

    def ask(self, messages: list[Message], pieces: list[str] | None = None) -> list[Attempt]:
        """Show the answer to a conversation.

        Args:
            messages: The conversation.
            pieces: Takes the text as it comes, also of an answer that is interrupted.

        Returns:
            The attempts of the request.

        Raises:
            ModelMeshError: There was no answer, or it broke off.
        """
        pieces = [] if pieces is None else pieces
        arguments = {"model": self.pool, "messages": messages, **self.parameters}
        completions = self.client.chat.completions
        if not self.stream:
            reply = completions.create(**arguments)
            text = reply.content or ""
            show_text(text)
            end_line(text)
            pieces.append(text)
            self._afterwards(text, reply.choices[0].finish_reason, reply.attempts)
            return list(reply.attempts)
        finish = None
        with completions.create(**arguments, stream=True) as stream:
            try:
                for chunk in stream:
                    for choice in chunk.choices or ():
                        pieces.append((choice.delta and choice.delta.content) or "")
                        show_text(pieces[-1])
                        finish = choice.finish_reason or finish
            finally:
                end_line("".join(pieces))
        self._afterwards("".join(pieces), finish, stream.attempts)
        return list(stream.attempts)

    def ask_for_json(self, messages: list[Message]) -> None:
        """Print the whole reply as JSON."""
        reply = self.client.chat.completions.create(model=self.pool, messages=messages, **self.parameters)
        click.echo(reply.model_dump_json(indent=2))
        if self.why:
            show_attempts(reply.attempts)

    def _afterwards(self, text: str, finish: str | None, attempts: list[Attempt]) -> None:
        if not text:
            show_note(f"the answer holds no text (finish_reason: {finish or 'unknown'}); --json shows all of it")
        elif finish == "length":
            show_note("the answer was cut at the limit of tokens; raise --max-tokens")
        if self.why:
            show_attempts(attempts)


def show_text(text: str) -> None:
    """Write a piece of an answer: to a terminal what cannot harm it, elsewhere every character."""
    if sys.stdout.isatty():
        click.echo(clean(text), nl=False)
    else:
        click.echo(text, nl=False, color=True)  # which is how click is told to take nothing away


def end_line(text: str) -> None:
    """End the line that an answer left open."""
    if text and not text.endswith("\n"):
        click.echo()


def show_attempts(attempts: list[Attempt]) -> None:
    """Show on stderr what the answer went through, so that stdout holds the answer alone."""
    from modelmesh.cli.rendering import attempts_table, show  # noqa: PLC0415 - rich, for --why only

    screen = console(stderr=True)
    screen.print()
    show(screen, attempts_table(screen, attempts))


@click.command("chat", epilog=EPILOG, short_help="Ask a model, once or in a conversation.")
@click.argument("prompt", required=False)
@client_options
@click.option("--system", metavar="TEXT", help="System message that goes before the prompt.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Tokens of the answer at most.")
@click.option("--temperature", type=float, metavar="X", help="How freely the model chooses its words, e.g. 0.2.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete, not as it comes.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole reply as JSON; implies --no-stream.")
@click.option("--why", is_flag=True, help="Show afterwards, on stderr, which models were asked and what happened.")
def command(
    prompt: str | None,
    target: Target,
    system: str | None,
    max_tokens: int | None,
    temperature: float | None,
    *,
    no_stream: bool,
    as_json: bool,
    why: bool,
) -> None:
    """Ask a model, from whichever provider is able and healthy now.

    PROMPT is the question; without it, standard input is read. On a terminal without a PROMPT a conversation begins,
    which ends with Ctrl-D.
    """
    talks = prompt is None and sys.stdin is not None and sys.stdin.isatty()
    if talks and as_json:
        message = "--json needs a PROMPT, or one on standard input"
        raise click.UsageError(message)
    if prompt is None and not talks:
        prompt = sys.stdin.read() if sys.stdin is not None else ""
    if prompt is not None and not prompt.strip():
        message = "the prompt is empty; give it as the argument or on standard input"
        raise click.UsageError(message)
    stated = {"max_tokens": max_tokens, "temperature": temperature}
    parameters = {name: value for name, value in stated.items() if value is not None}
    before: list[Message] = [{"role": "system", "content": system}] if system else []
    with target.client() as client:
        question = Question(client, target.pool(client), parameters, stream=not no_stream, why=why)
        if prompt is None:
            converse(question, before)
        elif as_json:
            question.ask_for_json([*before, {"role": "user", "content": prompt}])
        else:
            question.ask([*before, {"role": "user", "content": prompt}])


def converse(question: Question, messages: list[Message]) -> None:
    """Ask line by line until the end of input; neither an error nor Ctrl-C during an answer ends the conversation."""
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - the engine, not for --help

    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - editing and history of the line, where the platform has it
    click.echo(f"Caller {question.pool}. /help lists the commands; Ctrl-D or /exit ends.", err=True)
    talk = Conversation(question, messages)
    interrupted = False
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            click.echo()
            show_note("Ctrl-C once more, Ctrl-D or /exit ends")
            continue
        interrupted = False
        if line in LEAVE:
            return
        try:
            talk.take(line)
        except ModelMeshError as error:
            show_error(error)


class Conversation:
    """The conversation so far, and the commands that act on it."""

    def __init__(self, question: Question, before: list[Message]) -> None:
        self._question, self._before = question, before
        self._messages = list(before)
        self._attempts: list[Attempt] = []

    def take(self, line: str) -> None:
        """Execute one line: a command, or a message to the model.

        Raises:
            ModelMeshError: There was no answer, or it broke off.
        """
        if not line:
            return
        if COMMAND.fullmatch(line):
            self._command(line)
            return
        asked: list[Message] = [*self._messages, {"role": "user", "content": line}]
        pieces: list[str] = []
        try:
            self._attempts = self._question.ask(asked, pieces)
        except KeyboardInterrupt:
            show_note("stopped; the conversation goes on")
        answer = "".join(pieces)
        self._messages = [*asked, {"role": "assistant", "content": answer}] if answer else self._messages

    def _command(self, line: str) -> None:
        if line == "/help":
            click.echo(HELP)
        elif line == "/new":
            self._messages = list(self._before)
            show_note("the conversation is forgotten")
        elif line == "/why" and self._attempts:
            show_attempts(self._attempts)
        elif line == "/why":
            show_note("nothing was answered yet")
        else:
            show_note(f"there is no command {line}; /help lists them")
