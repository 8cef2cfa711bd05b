"""The browser app: pages in `views/`, their parts in `widgets/`, all session and URL keys in `state.py`.

Pages read state, call one or two functions of the engine, and show what came back.
"""
