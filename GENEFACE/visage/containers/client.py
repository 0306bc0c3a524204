"""A connection to the Docker daemon, at the address that ``DOCKER_HOST`` names or the usual socket."""

from __future__ import annotations

import os
import socket
from contextlib import closing

import docker
import requests
import urllib3
from docker.errors import DockerException

FAILURES = (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)
"""What the SDK raises when the daemon refuses, or is not there."""
GOING = (404, 409)
"""Status codes about a container that is gone, or is just being removed."""
_ANY_VERSION = "1.41"


def address() -> str:
    """Where the daemon is looked for."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def connect(patience: float, timeout: float) -> docker.DockerClient:
    """A client, to be closed; the daemon must answer within ``patience`` s, later questions within ``timeout`` s.

    Raises one of `FAILURES` and leaves no socket open then.
    """
    _knock(patience)
    # Asked for in two steps, because a client that finds out the version while it is built cannot be closed
    # when that fails.
    with closing(docker.from_env(timeout=patience, version=_ANY_VERSION)) as client:
        version = client.version(api_version=False).get("ApiVersion", _ANY_VERSION)
    return docker.from_env(timeout=timeout, version=version)


def _knock(patience: float) -> None:
    """Raises `OSError` when nobody listens on the Unix socket; the SDK would leave the socket it tried open."""
    kind, _, path = address().partition("://")
    if kind == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(patience)
            knock.connect(path)
