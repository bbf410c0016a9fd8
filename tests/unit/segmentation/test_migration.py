from __future__ import annotations

import pandas as pd

from customer360.segmentation.migration import segment_moves


def test_movers_stayers_and_newcomers_are_counted():
    before = pd.DataFrame({"customer_id": ["a", "b", "c"], "segment": [0, 0, 1]})
    after = pd.DataFrame({"customer_id": ["c", "b", "a", "d"], "segment": [1, 1, 0, 2]})
    moves = segment_moves(before, after)
    counted = {(r.from_segment, r.to_segment): r.customers for r in moves.itertuples()}
    assert counted == {(0, 0): 1, (0, 1): 1, (1, 1): 1, (-1, 2): 1}
    assert moves["customers"].sum() == len(after)
