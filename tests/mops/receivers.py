"""Receivers on this machine that tests start: an HTTP one that fails, hangs, redirects and recovers as told, and an SMTP one."""

import json
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Answers POSTs with the next of `plan`, then with 200. A step is a status, (status, headers[, body]), "hang" or "drip"."""

    def __init__(self, plan=()):
        self.plan, self.got = list(plan), []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                step = receiver.plan.pop(0) if receiver.plan else 200
                receiver.got.append((step, dict(self.headers.items()), body.decode(), self.path))
                receiver._answer(self, step)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _step, headers, _body, _path in self.got]

    def bodies(self) -> list[dict]:
        return [json.loads(body) for _step, _headers, body, _path in self.got]

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, handler, step):
        if step == "hang":
            self.released.wait(30)
            return
        if step == "drip":
            self._drip(handler)
            return
        status, headers, body = (*step, b"")[:3] if isinstance(step, tuple) else (step, {}, b"ok")
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _drip(self, handler):
        """A header byte by byte, for ever: each read succeeds, the answer never ends."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            while not self.released.wait(0.05):
                handler.wfile.write(b"a")
                handler.wfile.flush()
        except OSError:
            return


class Mailbox:
    """An SMTP server that keeps what it takes; `refusals`: so many mails are answered 451 first."""

    def __init__(self, refusals: int = 0):
        self.messages, self.refusals = [], refusals
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.say("220 test")
                while line := self.rfile.readline():
                    word = line.decode("latin-1").strip().upper()
                    if word.startswith("DATA"):
                        self.data()
                    elif word.startswith("QUIT"):
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

            def data(self):
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                    lines.append(line)
                if mailbox.refusals:
                    mailbox.refusals -= 1
                    self.say("451 later")
                    return
                mailbox.messages.append(b"".join(lines))
                self.say("250 taken")

            def say(self, text):
                self.wfile.write(f"{text}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_for(condition, seconds: float = 10.0) -> bool:
    """Is it true before the time is over?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
