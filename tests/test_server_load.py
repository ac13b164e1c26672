"""Many at once, and anything at all: no error of the server, whatever is sent."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import Serving, serving

from neuromem.errors import InvalidInput
from neuromem.server.filters import KNOWN, parse

OWNERS, CLIENTS, EACH = 200, 32, 12


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    """One in RAM."""
    with serving(encoder="hash", config={"bank": {"open_banks": 512, "block_slots": 8}}) as server:
        yield server


@pytest.mark.slow
def test_32_clients_over_200_owners_meet_no_error(server: Serving) -> None:
    def client(number: int) -> list[int]:
        rng = random.Random(number)
        statuses = []
        with httpx.Client(base_url=server.url, timeout=120) as http:
            for step in range(EACH):
                user = f"user{rng.randrange(OWNERS)}"
                if rng.randrange(5) == 0:
                    body: dict[str, Any] = {"user_id": user, "messages": f"Box {number}.{step} holds a kite"}
                    statuses.append(http.post("/v1/ingest", json=body).status_code)
                else:
                    body = {"user_id": user, "query": "which box holds a kite?"}
                    answer = http.post("/v1/recall", json=body)
                    statuses.append(answer.status_code)
        return statuses

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = [status for each in pool.map(client, range(CLIENTS)) for status in each]
    assert statuses == [200] * (CLIENTS * EACH)


# -- filters ---------------------------------------------------------------------------------------------

words = st.text(string.printable + "é\ud800\0", max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words)
operators = st.sampled_from(["eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "icontains", "nin", "*"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(operators | words, inner, max_size=3)
)
keys = st.sampled_from([*KNOWN, "$and", "$or", "$not", "userId", "topic"]) | words
filters = st.recursive(
    st.dictionaries(keys, values, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["AND", "OR", "NOT", "$or"]), st.lists(inner, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def entries(server: Serving) -> Serving:
    """Some memories to filter."""
    told = {"user_id": "ana", "messages": "I like tea", "metadata": {"topic": "food", "n": 3}}
    assert httpx.post(f"{server.url}/v1/ingest", json=told).status_code == 200
    return server


@given(filters, st.sampled_from(["platform", "oss"]))
@settings(max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_filter_is_a_test_or_is_refused(entries: Serving, tree: Any, dialect: str) -> None:
    try:
        parsed = parse(tree, dialect=dialect)
        entries.service.entries(parsed)
    except InvalidInput:
        pass


# -- anything --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_request_that_the_openapi_document_allows_or_nearly_allows_is_a_5xx(server: Serving) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_dict(httpx.get(f"{server.url}/openapi.json", timeout=60).json())
    faults: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if (operation.method.upper(), operation.path) == ("POST", "/v1/keys"):
            continue  # an admin's key would close the server to the rest of this test

        @given(case=operation.as_strategy())
        @settings(max_examples=15, derandomize=True, database=None, deadline=None,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        def send(case: Any) -> None:
            answer = case.call(base_url=server.url)
            if answer.status_code >= 500:
                faults.append(f"{case.method} {case.path} {case.body!r:.300} {answer.status_code}")

        send()
    assert faults == []
