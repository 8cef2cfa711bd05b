"""The app's entry: the menu and nothing else. `workbench app` starts it."""

import streamlit as st

from workbench.app import state
from workbench.app.pages import MENU, page

st.set_page_config(page_title="Workbench", page_icon="🧪", layout="wide")
with state.drawing():
    st.navigation([page(name) for name in MENU]).run()
