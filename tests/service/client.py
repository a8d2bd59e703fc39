# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A rondod for tests, what talks to it, and TAP."""
import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 120  # seconds that a loaded host may take for anything

count = failures = 0
work = tempfile.mkdtemp()
processes = []


@atexit.register
def clean_up():
    for process in processes:
        if process.poll() is None:
            process.kill()
    shutil.rmtree(work, ignore_errors=True)


def ok(name, good, *told):
    """One case; @told is shown if it fails."""
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} {name}", flush=True)
    if not good:
        for text in told:
            print("# " + str(text)[:2000].replace("\n", "\n# "), flush=True)
    return good


def equal(name, is_, wanted):
    return ok(name, is_ == wanted, f"is     {is_!r}", f"wanted {wanted!r}")


def skip(name, why):
    """A case that cannot be had here; with CI=true in the environment a failure."""
    global count
    if os.environ.get("CI") == "true":
        ok(f"{name}: may not be skipped in CI: {why}", False)
        return
    count += 1
    print(f"ok {count} {name} # SKIP {why}", flush=True)


def done():
    print(f"1..{count}")
    sys.exit(failures > 0)


def until(condition, what):
    """Waits until @condition() gives something, and returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise TimeoutError(what)


class Server:
    """A rondod. Its log is read from a file, and every line of it has to be one object."""

    def __init__(self, rondod, *arguments, port="0", ready=True, preexec=None, environment=(), fds=()):
        self.log_path = os.path.join(work, f"log{time.monotonic_ns()}")
        self.log_file = open(self.log_path, "wb")
        options = [] if port is None else ["--port", port]
        self.process = subprocess.Popen(
            [rondod, *options, *arguments], stderr=self.log_file, stdin=subprocess.DEVNULL,
            env={**os.environ, "XDG_CACHE_HOME": work, **dict(environment)}, preexec_fn=preexec, pass_fds=fds)
        processes.append(self.process)
        if ready:
            self.port = self.wait_for("listening")["port"]
            self.wait_for("ready")

    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            text = f.read()
        return [json.loads(line) for line in text.split("\n")[:-1] if line.startswith("{")]

    def events(self, name, **fields):
        return [e for e in self.log()
                if e["event"] == name and all(e.get(k) == v for k, v in fields.items())]

    def wait_for(self, name, number=1, **fields):
        def look():
            found = self.events(name, **fields)
            if len(found) < number and self.process.poll() is not None:
                raise RuntimeError(f"rondod has ended; its log: {open(self.log_path).read()[-3000:]}")
            return found[number - 1] if len(found) >= number else None
        return until(look, name)

    def stop(self, number=signal.SIGTERM):
        """The exit status, and what it said that is no line of the log."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self.log_file.close()
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            other = [line for line in f.read().split("\n") if line and not line.startswith("{")]
        return status, "\n".join(other)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=(), connection=None):
        """Status, headers, body."""
        c = connection or self.connect()
        c.request(method, path, body, dict(headers))
        answer = c.getresponse()
        content = answer.read()
        if not connection:
            c.close()
        return answer.status, answer.headers, content

    def json(self, method, path, body=None, **more):
        status, _, content = self.ask(method, path, json.dumps(body) if body is not None else None, **more)
        return status, json.loads(content) if content else None

    def raw(self, data, close=True):
        """All that is answered to these bytes."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as s:
            try:
                s.sendall(data)
                if close:
                    s.shutdown(socket.SHUT_WR)
                while chunk := s.recv(65536):
                    answer += chunk
            except TimeoutError:
                raise
            except OSError:
                pass  # it has been closed meanwhile
        return answer


def read_npy(path):
    """The bytes of the elements, little-endian."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<H", data[8:10])[0]
    return data[10 + size:]


def floats(data):
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def f32(values):
    return struct.pack(f"<{len(values)}f", *values)


def binary_request(inputs, **members):
    """Headers and body of a request whose @inputs are (name, datatype, shape, bytes)."""
    head = json.dumps({
        "inputs": [{"name": n, "datatype": t, "shape": s, "parameters": {"binary_data_size": len(b)}}
                   for n, t, s, b in inputs], **members}).encode()
    return ({"Inference-Header-Content-Length": str(len(head))},
            head + b"".join(b for _, _, _, b in inputs))


def binary_answer(headers, content):
    """The JSON, and the bytes of each output."""
    size = int(headers.get("Inference-Header-Content-Length", len(content)))
    answer, at, data = json.loads(content[:size]), size, {}
    for output in answer["outputs"]:
        length = output.get("parameters", {}).get("binary_data_size")
        if length is not None:
            data[output["name"]] = content[at:at + length]
            at += length
    assert at == len(content)
    return answer, data
