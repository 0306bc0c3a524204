"""Every object store keeps what it is given; a bucket is a real S3 server that checks each signature."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import requests

from visage.config import Settings, read_settings
from visage.errors import InvalidRequest, ServiceError, ServiceRefused, ServiceUnreachable
from visage.storage.objects import DRIVERS, ObjectStore, Stored, open_objects
from visage.storage.objects.s3 import S3Objects

BUCKET = "pictures"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """A served S3 whose requests must be signed by a key it made itself."""
    pytest.importorskip("moto", reason="moto (an S3 server) is not installed: pip install -e .[test]")
    import boto3
    from moto.server import ThreadedMotoServer

    served = ThreadedMotoServer(port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    plain = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "first",
             "aws_secret_access_key": "first"}
    iam, s3 = boto3.client("iam", **plain), boto3.client("s3", **plain)
    iam.create_user(UserName="writer")
    key = iam.create_access_key(UserName="writer")["AccessKey"]
    iam.put_user_policy(UserName="writer", PolicyName="all", PolicyDocument=(
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'))
    s3.create_bucket(Bucket=BUCKET)
    checking = requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=10)
    assert checking.ok, "the server does not check signatures"
    yield {"s3_endpoint": url, "s3_region": "us-east-1", "s3_bucket": BUCKET, "s3_access_key": key["AccessKeyId"],
           "s3_secret_key": key["SecretAccessKey"]}
    requests.post(f"{url}/moto-api/reset-auth", data=b"inf", timeout=10)
    served.stop()


def settings(tmp_path: Path, **given: str) -> Settings:
    return read_settings(home=tmp_path, **given)


@pytest.fixture(params=sorted(DRIVERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    more = request.getfixturevalue("server") if request.param == "s3" else {}
    return open_objects(settings(tmp_path, objects=request.param, **more))


def read(store: ObjectStore, stored: Stored) -> bytes:
    """What lies under the address of a folder, or under the key of a bucket (this server knows no signed links)."""
    if isinstance(store, S3Objects):
        assert f"/{BUCKET}/" in stored.url and "X-Amz-Signature=" in stored.url
        return store._client.get_object(Bucket=BUCKET, Key=stored.key)["Body"].read()
    with urlopen(stored.url) as answer:
        return answer.read()


def test_what_was_put_can_be_fetched(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "picture 一.png"
    file.write_bytes(b"first")
    stored = store.put(file, "2026/face one.png")
    assert (stored.key, stored.size, read(store, stored)) == ("2026/face one.png", 5, b"first")
    file.write_bytes(b"another")
    assert read(store, store.put(file, "2026/face one.png")) == b"another"


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "a//b", "", "a/./b", "a\\b", "x" * 600])
def test_no_key_leaves_the_store(store: ObjectStore, tmp_path: Path, key: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"a")
    with pytest.raises(InvalidRequest):
        store.put(file, key)


def test_many_at_once(store: ObjectStore, tmp_path: Path) -> None:
    wrong: list[int] = []

    def put(number: int) -> None:
        file = tmp_path / str(number)
        file.write_bytes(bytes([number]) * 1000)
        if read(store, store.put(file, f"many/{number}")) != file.read_bytes():
            wrong.append(number)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_wrong_key_is_refused_and_named(server: dict[str, str], tmp_path: Path) -> None:
    store = open_objects(settings(tmp_path, objects="s3", **{**server, "s3_secret_key": "not the key"}))
    file = tmp_path / "a"
    file.write_bytes(b"a")
    with pytest.raises(ServiceRefused) as caught:
        store.put(file, "a")
    assert "SignatureDoesNotMatch" in caught.value.message and "not the key" not in str(caught.value.as_dict())
    assert file.read_bytes() == b"a"


def test_a_bucket_that_is_not_there(server: dict[str, str], tmp_path: Path) -> None:
    store = open_objects(settings(tmp_path, objects="s3", **{**server, "s3_bucket": "nowhere"}))
    file = tmp_path / "a"
    file.write_bytes(b"a")
    with pytest.raises(ServiceError) as caught:
        store.put(file, "a")
    assert caught.value.code == "objects.no_bucket"


def test_a_server_that_is_not_there(server: dict[str, str], tmp_path: Path) -> None:
    store = open_objects(settings(tmp_path, objects="s3", **{**server, "s3_endpoint": "http://127.0.0.1:9"}))
    file = tmp_path / "a"
    file.write_bytes(b"a")
    with pytest.raises(ServiceUnreachable):
        store.put(file, "a")


@pytest.mark.parametrize("field", ["s3_bucket", "s3_access_key", "s3_secret_key"])
def test_an_empty_setting_is_named(tmp_path: Path, field: str) -> None:
    given = {"s3_bucket": "b", "s3_access_key": "k", "s3_secret_key": "s", field: ""}
    with pytest.raises(InvalidRequest) as caught:
        open_objects(settings(tmp_path, objects="s3", **given))
    assert f"VISAGE_{field.upper()}" in caught.value.message


def test_keys_print_as_stars(tmp_path: Path) -> None:
    assert "hidden" not in repr(settings(tmp_path, s3_access_key="hidden", s3_secret_key="hidden"))


def test_a_public_address_is_told_instead_of_a_signed_link(server: dict[str, str], tmp_path: Path) -> None:
    store = open_objects(settings(tmp_path, objects="s3", s3_public_url="https://pictures.example.org/", **server))
    file = tmp_path / "a.png"
    file.write_bytes(b"a")
    assert store.put(file, "2026/a b.png").url == "https://pictures.example.org/2026/a%20b.png"
