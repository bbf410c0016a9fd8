from __future__ import annotations

import pandas as pd
import pytest

from customer360.features.leakage import LeakageError, refuse_leaks

SEEN = pd.DataFrame({"customer_id": ["a", "b"], "spent": [1.0, None], "kind": ["x", None]})


def test_equal_tables_pass_in_any_order():
    refuse_leaks(SEEN, SEEN.iloc[::-1])


def test_a_feature_that_knows_the_future_is_named():
    with pytest.raises(LeakageError, match="spent changed"):
        refuse_leaks(SEEN, SEEN.assign(spent=[1.0, 2.0]))
    with pytest.raises(LeakageError, match="1 customers"):
        refuse_leaks(SEEN, SEEN.head(1))
