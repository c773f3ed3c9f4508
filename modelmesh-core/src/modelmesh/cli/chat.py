"""``modelmesh chat``: one prompt, or a conversation."""

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
HELP = """/help   show this help
/new    start a new conversation
/why    show the models that were tried for the last answer
/exit   end the conversation, as Ctrl-D does
Ctrl-C  stop an answer and keep the conversation"""

EPILOG = """\b
Examples:
  modelmesh chat "Name three colours"
  git diff | modelmesh chat --system "Review this change" --max-tokens 400
  modelmesh chat --provider groq --why "What is the capital of France?"
  modelmesh chat --config modelmesh.yaml --json "Say yes" | jq .usage
"""


@frozen
class Prompter:
    """Settings of the command's requests.

    Attributes:
        client: Client that sends the requests.
        pool: Capability or pool of the requests.
        parameters: Parameters of the requests, such as ``max_tokens``.
        stream: Whether the answer is streamed.
        why: Whether the attempts are shown after the answer.
    """

    client: MeshClient
    pool: str
    parameters: dict[str, Any] = field(factory=dict)
    stream: bool = True
    why: bool = False

    def show_answer(self, messages: list[Message], pieces: list[str] | None = None) -> list[Attempt]:
        """Send a conversation and show the answer.

        Args:
            messages: The conversation.
            pieces: Receives the text as it arrives, also that of an interrupted answer.

        Returns:
            The attempts of the request.

        Raises:
            ModelMeshError: The request failed, or the answer was interrupted.
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
            self._show_notes(text, reply.choices[0].finish_reason, reply.attempts)
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
        self._show_notes("".join(pieces), finish, stream.attempts)
        return list(stream.attempts)

    def show_json(self, messages: list[Message]) -> None:
        """Send a conversation and print the whole reply as JSON."""
        reply = self.client.chat.completions.create(model=self.pool, messages=messages, **self.parameters)
        click.echo(reply.model_dump_json(indent=2))
        if self.why:
            show_attempts(reply.attempts)

    def _show_notes(self, text: str, finish: str | None, attempts: list[Attempt]) -> None:
        if not text:
            show_note(f"the answer has no text (finish_reason: {finish or 'unknown'}). --json shows the whole reply")
        elif finish == "length":
            show_note("the answer was cut at the token limit. Increase --max-tokens")
        if self.why:
            show_attempts(attempts)


def show_text(text: str) -> None:
    """Write a part of an answer, on a terminal without control characters."""
    if sys.stdout.isatty():
        click.echo(clean(text), nl=False)
    else:
        click.echo(text, nl=False, color=True)  # color=True: click removes nothing


def end_line(text: str) -> None:
    """End the last line of an answer."""
    if text and not text.endswith("\n"):
        click.echo()


def show_attempts(attempts: list[Attempt]) -> None:
    """Show the attempts of a request on stderr. stdout contains only the answer."""
    from modelmesh.cli.rendering import attempts_table, show  # noqa: PLC0415 - rich, for --why only

    screen = console(stderr=True)
    screen.print()
    show(screen, attempts_table(screen, attempts))


@click.command("chat", epilog=EPILOG, short_help="Send a prompt, once or in a conversation.")
@click.argument("prompt", required=False)
@client_options
@click.option("--system", metavar="TEXT", help="System message before the prompt.")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Maximum number of tokens of the answer.")
@click.option("--temperature", type=float, metavar="X", help="Sampling temperature, e.g. 0.2.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole reply as JSON. Implies --no-stream.")
@click.option("--why", is_flag=True, help="Show the models that were tried and their outcomes, on stderr.")
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
    """Send a prompt to a model of an available provider.

    PROMPT is the prompt. Without it, standard input is read. On a terminal without a PROMPT a conversation starts, which
    ends with Ctrl-D.
    """
    interactive = prompt is None and sys.stdin is not None and sys.stdin.isatty()
    if interactive and as_json:
        message = "--json needs a PROMPT as argument or on standard input"
        raise click.UsageError(message)
    if prompt is None and not interactive:
        prompt = sys.stdin.read() if sys.stdin is not None else ""
    if prompt is not None and not prompt.strip():
        message = "the prompt is empty. Give it as argument or on standard input"
        raise click.UsageError(message)
    given = {"max_tokens": max_tokens, "temperature": temperature}
    parameters = {name: value for name, value in given.items() if value is not None}
    before: list[Message] = [{"role": "system", "content": system}] if system else []
    with target.client() as client:
        prompter = Prompter(client, target.pool(client), parameters, stream=not no_stream, why=why)
        if prompt is None:
            converse(prompter, before)
        elif as_json:
            prompter.show_json([*before, {"role": "user", "content": prompt}])
        else:
            prompter.show_answer([*before, {"role": "user", "content": prompt}])


def converse(prompter: Prompter, messages: list[Message]) -> None:
    """Read and answer lines until the end of input. An error or Ctrl-C during an answer does not end the conversation."""
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - the engine, not for --help

    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - line editing and history, where the platform has them
    click.echo(f"Conversation with {prompter.pool}. /help lists the commands, Ctrl-D or /exit ends it.", err=True)
    conversation = Conversation(prompter, messages)
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
            show_note("a second Ctrl-C, Ctrl-D or /exit ends the conversation")
            continue
        interrupted = False
        if line in LEAVE:
            return
        try:
            conversation.process(line)
        except ModelMeshError as error:
            show_error(error)


class Conversation:
    """Conversation with its messages and commands."""

    def __init__(self, prompter: Prompter, before: list[Message]) -> None:
        self._prompter, self._before = prompter, before
        self._messages = list(before)
        self._attempts: list[Attempt] = []

    def process(self, line: str) -> None:
        """Execute one line: a command, or a message to the model.

        Raises:
            ModelMeshError: The request failed, or the answer was interrupted.
        """
        if not line:
            return
        if COMMAND.fullmatch(line):
            self._command(line)
            return
        sent: list[Message] = [*self._messages, {"role": "user", "content": line}]
        pieces: list[str] = []
        try:
            self._attempts = self._prompter.show_answer(sent, pieces)
        except KeyboardInterrupt:
            show_note("stopped. The conversation continues")
        answer = "".join(pieces)
        self._messages = [*sent, {"role": "assistant", "content": answer}] if answer else self._messages

    def _command(self, line: str) -> None:
        if line == "/help":
            click.echo(HELP)
        elif line == "/new":
            self._messages = list(self._before)
            show_note("a new conversation starts")
        elif line == "/why" and self._attempts:
            show_attempts(self._attempts)
        elif line == "/why":
            show_note("there is no answer yet")
        else:
            show_note(f"there is no command {line}. /help lists the commands")
