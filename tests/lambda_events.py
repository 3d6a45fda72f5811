"""Events of a Lambda in every form: what AWS makes of one HTTP request, and what only keeps a Lambda warm.

Written down from AWS's developer guides: https://docs.aws.amazon.com/apigateway/latest/developerguide/ and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.lambda_runtime import Event, Form, event

ARN = "arn:aws:elasticloadbalancing:eu-west-1:0:targetgroup/ml/1"


def staged(before: str, stage: str, method: str, path: str, body: bytes, headers: Mapping[str, str] | None) -> Event:
    """Return the event of an HTTP API (payload 2.0): a stage with a name stands before its path."""
    made = event(method, f"{before}{path}", body, headers)
    host = "a1b2c3.execute-api.eu-west-1.amazonaws.com"
    made["requestContext"] |= {"stage": stage, "apiId": "a1b2c3", "domainName": host}
    return made


def first(before: str, method: str, path: str, body: bytes, headers: Mapping[str, str] | None) -> Event:
    """Return the event of an HTTP API in its first form (payload 1.0), whose path holds the stage or the mapping."""
    return {"version": "1.0", **rest(before, method, path, body, headers)}


def rest(before: str, method: str, path: str, body: bytes, headers: Mapping[str, str] | None) -> Event:
    """Return the event of a REST API that takes all bodies for binary: of a stage its path says nothing."""
    sent = _sent(headers)
    return {
        "resource": "/{proxy+}",
        "path": f"{before}{path}",
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": f"/prod{path}",
            "stage": "prod",
            "domainName": sent["host"],
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "test"},
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def balanced(many: bool, before: str, method: str, path: str, body: bytes, headers: Mapping[str, str] | None) -> Event:
    """Return the event of a load balancer, whose headers may be told as lists."""
    sent, packed = _sent(headers), bool(headers and "content-encoding" in headers)
    lists = {
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "multiValueQueryStringParameters": {},
    }
    return {
        "requestContext": {"elb": {"targetGroupArn": ARN}},
        "httpMethod": method,
        "path": f"{before}{path}",
        **(lists if many else {"headers": sent, "queryStringParameters": {}}),
        "body": base64.b64encode(body).decode() if packed else body.decode(),
        "isBase64Encoded": packed,
    }


def _sent(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {"host": "ml.example.org", "content-type": "application/json", **(headers or {})}


FORMS: Mapping[str, Form] = {
    "a Function URL": event,
    "an HTTP API": partial(staged, "", "$default"),
    "a stage of an HTTP API": partial(staged, "/prod", "prod"),
    "a stage that is called as the service": partial(staged, "/ml", "ml"),
    "a stage of an HTTP API in its first form": partial(first, "/prod"),
    "a mapping of a domain to an HTTP API": partial(first, "/optimizer/v1"),
    "a REST API": partial(rest, ""),
    "a REST API at a base path": partial(rest, "/optimizer"),
    "a load balancer": partial(balanced, False, ""),
    "a load balancer with a path of its own": partial(balanced, False, "/optimizer"),
    "a load balancer with lists": partial(balanced, True, ""),
}
_SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-21T12:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:events:eu-west-1:123456789012:rule/warm"],
    "detail": {},
}
CLOCKS: Mapping[str, dict[str, Any]] = {
    "a rule of EventBridge": _SCHEDULED,
    "a schedule of EventBridge": {**_SCHEDULED, "source": "aws.scheduler", "detail": "{}"},
    "serverless-plugin-warmup": {"source": "serverless-plugin-warmup"},
    "lambda-warmer": {"warmer": True, "concurrency": 3},
    "a word of one's own": {"warmup": True},
}
