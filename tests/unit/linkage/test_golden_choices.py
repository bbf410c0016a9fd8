from __future__ import annotations

import pyarrow as pa

from customer360.linkage.golden_choices import CHOSEN, Choices


def test_what_is_put_is_looked_up_in_the_record_or_the_unsubscription_it_names():
    none = {field: pa.nulls(2, pa.string()) for field in CHOSEN}
    known = none | {
        "record": pa.array([4, 1], pa.int32()),
        "source": ["crm", "web"],
        "source_id": ["4", "1"],
        "updated_at": pa.nulls(2, pa.timestamp("us")),
        "first_name": ["Anne", "Ann"],
        "consent_email": [True, None],
    }
    stops = {"record": pa.array([-1], pa.int32()), "source": ["crm"], "source_id": ["7"],
             "consent_email": [False]}  # fmt: skip
    choices = Choices(2, pa.table(known), pa.table(stops))
    name = {"customer": [1], "best": pa.array([4], pa.int32()), "runner_up": [1], "rule": ["a"]}
    choices.put(("first_name",), pa.table(name))
    stop = {"customer": [0], "best": pa.array([-1], pa.int32()), "rule": ["b"]}
    choices.put(("consent_email",), pa.table(stop))
    choices.read()
    choices.put(("title",), pa.table({"customer": [1], "text": ["Mme"], "rule": ["c"]}))
    golden = choices.golden(pa.table({"customer_id": ["c0", "c1"]}))
    assert golden["first_name"].to_pylist() == [None, "Anne"]
    assert golden["consent_email"].to_pylist() == [False, None]
    told = choices.provenance(pa.chunked_array([["c0", "c1"]])).to_pylist()
    shown = ("customer_id", "field", "value", "source_id", "rule", "runner_up")
    assert [tuple(row[name] for name in shown) for row in told] == [
        ("c0", "consent_email", "false", "7", "b", None),
        ("c1", "first_name", "Anne", "4", "a", "Ann"),
        ("c1", "title", "Mme", None, "c", None),
    ]
