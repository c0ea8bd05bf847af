"""The S3 server's process; runs on the interpreter of `.venv/s3`, which has moto. See `tests/s3_server.py`.

Prints the port it listens on, and ends when its standard input does, so that it never outlives the tests.
"""

import io
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class OneAtATime:
    """The application, one request after the other.

    moto 5.2.5 looks whether a key is free and then writes it, without a lock: with its threads switched every
    microsecond, 2 of 60 keys that 64 clients raced to create were created twice. S3 lets exactly one client through.
    """

    def __init__(self, application):
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ, start_response):
        # Read before the lock is taken: a slow client keeps nobody waiting.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        with self._lock:
            return self._application(environ, start_response)


class QuietRequestHandler(MotoRequestHandler):
    """Logs nothing: the log would hold every request of the session."""

    def log(self, *_):
        pass


def main() -> None:
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
