# SPDX-License-Identifier: Apache-2.0
"""Listens on a chip's UART: passes on all bytes, and sees who reuses a nonce.

Speaks docs/protocol/air.md as far as that takes, and no more: a line that is damaged is not for this.
"""

import copy
import socket
import threading
import time
from pathlib import Path

ADVERTISEMENT, WRITE, NOTIFY, SUBSCRIBE = 1, 2, 3, 4
HAS_OWNER = 1
MESSAGE = 0
URI_PATH, OSCORE = 11, 9


def cobs_decode(code):
    out = bytearray()
    at = 0
    while at < len(code):
        size = code[at]
        out += code[at + 1 : at + size]
        at += size
        if size < 255 and at < len(code):
            out.append(0)
    return bytes(out)


class Frames:
    """One direction of the line: bytes to operations, and their values to frames."""

    def __init__(self):
        self.code, self.frame = bytearray(), bytearray()

    def take(self, data):
        """Operations: (number, value), where the value of a segment is the frame that it ends."""
        for byte in data:
            if byte:
                self.code.append(byte)
                continue
            plain = cobs_decode(self.code)[:-2]  # the CRC
            self.code.clear()
            if not plain:
                continue
            operation, value = plain[0], plain[1:]
            if operation in (WRITE, NOTIFY):
                if value[0] & 0x80:
                    self.frame.clear()
                self.frame += value[1:]
                if not value[0] & 0x40:
                    continue
                value = bytes(self.frame)
            yield operation, value


class Coap:
    """A CoAP message, which is right."""

    def __init__(self, raw):
        size = raw[0] & 15
        self.code, self.token = raw[1], raw[4 : 4 + size]
        self.options, self.payload = [], b""
        number, at = 0, 4 + size
        while at < len(raw):
            if raw[at] == 0xFF:
                self.payload = raw[at + 1 :]
                break
            head, at = raw[at], at + 1
            fields = []
            for nibble in (head >> 4, head & 15):
                extra = {13: 1, 14: 2}.get(nibble, 0)
                base = {13: 13, 14: 269}.get(nibble, nibble)
                fields.append(base + int.from_bytes(raw[at : at + extra], "big"))
                at += extra
            number += fields[0]
            self.options.append((number, raw[at : at + fields[1]]))
            at += fields[1]

    def values(self, number):
        return [value for known, value in self.options if known == number]

    def oscore(self):
        """Partial IV and kid of its OSCORE option; None if it has none."""
        found = self.values(OSCORE)
        if not found:
            return None
        value = found[0] or b"\0"
        piv_end = 1 + (value[0] & 7)
        at = piv_end + (1 + value[piv_end] if value[0] & 16 else 0)
        return value[1:piv_end], value[at:] if value[0] & 8 else None


class Nonces:
    """What was sealed under which nonce (RFC 8613 §5.2): the same again is a repetition."""

    def __init__(self):
        self.sealed = {}
        self.sessions = {}  # kid: the message_3 that began it
        self.requests = {}  # token: session and Partial IV
        self.reused = []

    def copy(self):
        return copy.deepcopy(self)

    def note(self, nonce, ciphertext):
        if self.sealed.setdefault(nonce, ciphertext) != ciphertext:
            self.reused.append(nonce)

    def session(self, kid):
        return kid, self.sessions.get(kid)

    def request(self, label, message):
        edhoc = message.values(URI_PATH) == [b".well-known", b"edhoc"]
        if edhoc and message.payload[:1] != b"\xf5":
            self.sessions[message.payload[:1]] = message.payload  # C_R, which names the session
        named = message.oscore()
        if named is None:
            return
        piv, kid = named
        self.requests[label, message.token] = self.session(kid), piv
        self.note(("app", self.session(kid), piv), message.payload)

    def answer(self, label, message):
        named = message.oscore()
        if named is None or (label, message.token) not in self.requests:
            return
        session, request_piv = self.requests[label, message.token]
        # Without a Partial IV of its own it is sealed under the nonce of the request.
        by = ("device", session, named[0]) if named[0] else ("answer", session, request_piv)
        self.note(by, message.payload)


class Line:
    """Stands between a UART's socket and a socket of its own, at `path`."""

    def __init__(self, uart, path, nonces):
        self.nonces = nonces
        self.has_owner = None  # what the chip said last
        self.uart = str(uart)
        chip = self.connect()
        Path(path).unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.run, args=(chip,), daemon=True).start()

    def connect(self):
        chip = socket.socket(socket.AF_UNIX)
        chip.connect(self.uart)
        return chip

    def run(self, chip):
        """One line after the other: a chip that resets itself comes back at a new socket."""
        while True:
            peer, _ = self.listener.accept()
            try:
                chip = chip or self.connect()
            except OSError:  # not yet: who asked will ask again
                peer.close()
                time.sleep(0.05)
                continue
            threads = [
                threading.Thread(target=self.pump, args=(peer, chip), daemon=True),
                threading.Thread(target=self.pump, args=(chip, peer), daemon=True),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            chip = None

    def pump(self, source, sink):
        frames = Frames()
        try:
            while data := source.recv(4096):
                for operation, value in frames.take(data):
                    self.see(operation, value)
                sink.sendall(data)
        except OSError:
            pass  # an end has gone, as when power goes
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)  # wakes the other direction
            except OSError:
                pass
            end.close()

    def see(self, operation, value):
        if operation == ADVERTISEMENT:
            self.has_owner = bool(value[1] & HAS_OWNER)
        if operation not in (WRITE, NOTIFY) or value[0] != MESSAGE:
            return
        label, message = value[1:3], Coap(value[3:])
        if operation == WRITE:
            self.nonces.request(label, message)
        else:
            self.nonces.answer(label, message)
