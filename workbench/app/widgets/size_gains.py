"""What quality gains when a model's size doubles: where returns diminish."""

from __future__ import annotations

import streamlit as st

from workbench.app.widgets.size_charts import gain_chart, gain_label, gain_words
from workbench.app.widgets.size_words import is_share
from workbench.app.widgets.text import escaped
from workbench.core.sizing import Sizes


def gain_section(sizes: Sizes) -> None:
    """Chart and table; or what is missing for them."""
    if not sizes.gains:
        st.markdown(
            "This needs two models of different, known sizes at the same quantization: add one to the "
            "experiment."
        )
        return
    share = is_share(sizes.points)
    gain_chart(sizes.gains, share, key="chart gains")
    if any(gain.low <= 0 for gain in sizes.gains):
        st.caption("Where the bar reaches the dashed line, a larger model has not been shown to be better.")
    with st.expander("Gains as a table"):
        st.table(
            {
                "Models": [escaped(gain_label(gain)) for gain in sizes.gains],
                "Doublings": [f"{gain.doublings:.1f}" for gain in sizes.gains],
                "Gain per doubling": [escaped(gain_words(gain, share)) for gain in sizes.gains],
            },
            border="horizontal",
            hide_index=True,
            alt="Quality gained per doubling of a model's size",
        )
