# SPDX-License-Identifier: Apache-2.0
"""A `carnot serve` to ask, for the tests of this folder and of tests/browser."""
import http.client
import json
import re
import signal
import socket
import subprocess
import sys

SKIP = 77


class Server:
    """Listens on a port of its own; `token` is the one it printed."""

    def __init__(self, carnot, *flags, listen="127.0.0.1:0", cwd=None, interval=100):
        self.command = [carnot, "serve", "--listen", listen, "--interval", str(interval), *flags]
        self.cwd = cwd
        self.token = ""

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True, cwd=self.cwd)
        said = []
        for line in self.process.stderr:
            said.append(line)
            if "without Boost" in line:
                print("skipped:", line.strip())
                sys.exit(SKIP)
            found = re.search(r"dashboard: http://[^ ]*:(\d+)/(?:#token=(\w+))?", line)
            if found:
                self.port, self.token = int(found.group(1)), found.group(2) or ""
                return self
        raise SystemExit(f"carnot serve ended with {self.process.wait()}: {''.join(said)}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def ask(self, method, path, body=None, headers=None, token=True):
        """(status, headers, document or text)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = dict(headers or {})
        if token and self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        kind = answer.headers.get("Content-Type", "")
        return (answer.status, answer.headers,
                json.loads(text) if "json" in kind and text else text.decode(errors="replace"))

    def get(self, path, status=200):
        got = self.ask("GET", path)
        assert got[0] == status, f"GET {path}: {got[0]} {got[2]}"
        return got[2]

    def post(self, path, body, status=202):
        got = self.ask("POST", path, body)
        assert got[0] == status, f"POST {path}: {got[0]} {got[2]}"
        return got[2]

    def raw(self, text):
        """The status that bytes are answered with; None: the connection was closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s:
            s.sendall(text)
            answer = b""
            while b"\r\n" not in answer:
                piece = s.recv(65536)
                if not piece:
                    break
                answer += piece
        return int(answer.split()[1]) if answer else None

    def events(self, path="/api/v1/live?from=oldest", last=None):
        """(id, name, data) as they come, until the server goes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s:
            more = f"Last-Event-ID: {last}\r\n" if last else ""
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
            stream = s.makefile("r", encoding="utf-8", newline="\n")
            assert " 200 " in stream.readline()
            while stream.readline() not in ("\r\n", ""):
                pass
            event = {}
            for line in stream:
                name, _, value = line.rstrip("\n").partition(": ")
                if line != "\n":
                    event[name] = value
                elif event.get("data"):
                    yield event.get("id"), event.get("event"), json.loads(event["data"])
                    event = {}
