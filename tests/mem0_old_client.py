"""Drives an old mem0 client in a process of its own: `python mem0_old_client.py URL`; says "done" at last."""

from __future__ import annotations

import sys
import warnings
from importlib.metadata import version
from typing import Any

warnings.simplefilter("ignore")

from mem0 import MemoryClient  # noqa: E402


def items(answer: Any) -> list[dict[str, Any]]:
    """Old clients give bare lists or {"results": …}."""
    return answer["results"] if isinstance(answer, dict) else answer


def check(condition: object, what: object) -> None:
    if not condition:
        raise SystemExit(f"failed: {what}")


def main(url: str) -> None:
    old = version("mem0ai")
    client = MemoryClient(api_key="key", host=url, org_id="some-org", project_id="some-project")
    talk = [{"role": "user", "content": "I live in Lisbon"}, {"role": "assistant", "content": "Nice"}]
    added = items(client.add(talk, user_id="ana", metadata={"a": 1}))
    check([item["event"] for item in added] == ["ADD"], added)
    text = added[0].get("memory") or added[0]["data"]["memory"]
    check(text == "I live in Lisbon", added)
    id_ = added[0]["id"]
    check(client.get(id_)["memory"] == "I live in Lisbon", "get")
    first_generation = old.startswith("0.")
    searches: list[dict[str, Any]] = [{"user_id": "ana"}, {"filters": {"AND": [{"user_id": "ana"}]}}]
    for given in searches:
        for v in ("v1", "v2") if first_generation else ("",):
            more = {"version": v} if v else {}
            found = client.search("where do I live?", limit=3, **given, **more)
            check(isinstance(found, list if first_generation else dict), found)
            check([item["memory"] for item in items(found)] == ["I live in Lisbon"], found)
            listed = client.get_all(**given, **more)
            check([item["memory"] for item in items(listed)] == ["I live in Lisbon"], listed)
    paged = client.get_all(
        user_id="ana", page=1, page_size=1, **({"version": "v2"} if first_generation else {})
    )
    check(len(items(paged)) == 1 and paged["count"] == 1, paged)
    if old.startswith("0.1.67"):
        client.update(id_, "I live in Porto")
    else:
        client.update(id_, text="I live in Porto", metadata={"b": 2})
    check([row["event"] for row in client.history(id_)] == ["ADD", "UPDATE"], "history")
    client.batch_update([{"memory_id": id_, "text": "I live in Rome"}])
    check(client.get(id_)["memory"] == "I live in Rome", "batch_update")
    check({item["name"] for item in client.users()["results"]} == {"ana"}, "users")
    export = client.create_memory_export(schema="{}", user_id="ana")
    check(export["id"], export)
    check("Rome" in str(client.get_memory_export(user_id="ana")), "export")
    try:
        client.get("5b2b5ed4-5f3c-4b1a-9f6c-2d1d1b6b8a10")
    except Exception as error:
        check("404" in str(error) or "no memory" in str(error), error)
    else:
        check(False, "an unknown id")
    client.batch_delete([{"memory_id": id_}])
    second = items(client.add([{"role": "user", "content": "I like tea"}], agent_id="a b", infer=False))
    check(len(second) == 1, second)
    client.delete(second[0]["id"])
    client.add([{"role": "user", "content": "I like tea"}], user_id="ana", output_format="v1.1")
    client.delete_all(user_id="ana")
    check(items(client.get_all(user_id="ana")) == [], "delete_all")
    client.add([{"role": "user", "content": "I like tea"}], user_id="x y")
    client.delete_users()
    check(client.users()["results"] == [], "delete_users")
    print("done", old)


main(sys.argv[1])
