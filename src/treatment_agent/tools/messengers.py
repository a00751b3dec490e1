"""Messengers without a provider: to the terminal, to a file, and one that routes by channel."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from treatment_agent.domain.messages import ApprovedMessage, Channel, Lookup, Receipt
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, ConfigurationError, DeliveryInDoubt
from treatment_agent.ports import Clock, Messenger
from treatment_agent.tools.json_lines import JsonLines, PartlyWritten


class ConsoleMessenger:
    """`ports.Messenger` that prints. Addresses are masked; the text is shown, so it is for demos and trials."""

    def __init__(self, console: Console | None = None) -> None:
        """Print to this console, or to standard output."""
        self._console = console or Console()
        self._sent: set[str] = set()
        self._lock = threading.Lock()

    @property
    def channels(self) -> frozenset[Channel]:
        """Every channel."""
        return frozenset(Channel)

    def send(self, message: ApprovedMessage) -> Receipt:
        """Print one message."""
        with self._lock:
            head = Text(f"{message.channel.value} to {message.to}  [{message.script_id}]", style="bold")
            self._console.print(head)
            if message.subject:
                self._console.print(Text(message.subject, style="italic"))
            self._console.print(Text(message.body.get_secret_value()))
            self._sent.add(message.key)
        return _receipt("console", message.key)

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """Sent, if this object printed it; a terminal remembers nothing else."""
        return (Lookup.SENT, _receipt("console", key)) if key in self._sent else (Lookup.UNKNOWN, None)


class FileMessenger:
    """`ports.Messenger` into a file outbox: one JSON line per message, forced to disk, from where others send it.

    The lines hold addresses and texts in full; the file is readable by its owner only.
    """

    def __init__(self, path: str | Path, *, clock: Clock | None = None) -> None:
        """Write to `path`; with a clock, each line tells when it was written."""
        self._file = JsonLines(path)
        self._clock = clock

    @property
    def channels(self) -> frozenset[Channel]:
        """Every channel."""
        return frozenset(Channel)

    def send(self, message: ApprovedMessage) -> Receipt:
        """Append one message.

        Raises:
            AdapterUnavailable: the file cannot be opened; nothing was written.
            DeliveryInDoubt: the disk failed within the write.
        """
        receipt = _receipt("file", message.key)
        record = {
            "key": message.key,  # first: what a cut line still tells is its key
            "id": receipt.provider_message_id,
            "at": self._clock.now().isoformat() if self._clock else None,
            "conversation_id": message.conversation_id,
            "channel": message.channel.value,
            "to": message.to.reveal(),
            "subject": message.subject,
            "body": message.body.get_secret_value(),
            "script_id": message.script_id,
            "script_version": message.script_version,
            "language": message.language,
            "approved_by": message.approved_by,
            "content_hash": message.content_hash,
            "kind": message.kind.value,
        }
        try:
            self._file.append(record)
        except PartlyWritten:
            raise DeliveryInDoubt(
                "file outbox: the disk failed within the write; look at the end of the file"
            ) from None
        return receipt

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """Whether the key is in the file; unknown if it cannot be read, or a line cut short may be this one."""
        start = '{"key":' + json.dumps(key, ensure_ascii=False)
        torn = False
        try:
            for record in self._file.records():
                if isinstance(record, str):
                    torn = torn or record.startswith(start) or start.startswith(record.rstrip("\n"))
                elif record.get("key") == key:
                    return Lookup.SENT, _receipt("file", key)
        except AdapterUnavailable:
            return Lookup.UNKNOWN, None
        return (Lookup.UNKNOWN if torn else Lookup.NOT_SENT), None


class ChannelMessenger:
    """`ports.Messenger` that hands each message to the messenger of its channel."""

    def __init__(self, routes: Mapping[Channel, Messenger]) -> None:
        """Route by this map.

        Raises:
            ConfigurationError: it is empty, or a messenger cannot do its channel.
        """
        if not routes:
            raise ConfigurationError("ChannelMessenger: give at least one channel, for example {Channel.SMS: ...}")
        for channel, messenger in routes.items():
            if channel not in messenger.channels:
                raise ConfigurationError(
                    f"ChannelMessenger: {type(messenger).__name__} does not send {channel.value}; "
                    f"it sends {', '.join(sorted(messenger.channels)) or 'nothing'}"
                )
        self._routes = dict(routes)

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels of the map."""
        return frozenset(self._routes)

    def send(self, message: ApprovedMessage) -> Receipt:
        """Send over the message's channel.

        Raises:
            AdapterRejected: no messenger for that channel (`no_channel`); and what that messenger raises.
        """
        messenger = self._routes.get(message.channel)
        if messenger is None:
            raise AdapterRejected(f"messenger: no route for {message.channel.value}", code="no_channel")
        return messenger.send(message)

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """Sent if any messenger sent it, not sent if all of them say so, else unknown."""
        answers = [messenger.find(key) for messenger in dict.fromkeys(self._routes.values())]
        sent = next((answer for answer in answers if answer[0] is Lookup.SENT), None)
        if sent is not None:
            return sent
        sure = all(answer[0] is Lookup.NOT_SENT for answer in answers)
        return (Lookup.NOT_SENT if sure else Lookup.UNKNOWN), None


def _receipt(prefix: str, key: str) -> Receipt:
    """The id follows from the key, so that `find` gives the same one after a crash."""
    return Receipt(provider_message_id=f"{prefix}-{hashlib.sha256(key.encode()).hexdigest()[:24]}")
