"""Knowing, in a browser, whether the server still owes an answer to what was done on the page.

Streamlit's page says that a script is running only once the server has said so: on a busy machine that is
long after a click. So what the page sends and hears is looked at as it passes: `window.awaited` is true from
a request to run the script until that run has ended.
"""

from __future__ import annotations

from typing import Any

# numbers of fields in Streamlit's BackMsg and ForwardMsg
RERUN_SCRIPT, SCRIPT_FINISHED = 11, 6
EARLY_FOR_RERUN = 2
LISTEN = f"""
(() => {{
  const fieldsOf = bytes => {{
    const found = {{}}
    let at = 0
    const number = () => {{
      for (let value = 0, factor = 1; ; factor *= 128) {{
        const byte = bytes[at++]
        value += (byte & 127) * factor
        if (byte < 128) return value
      }}
    }}
    while (at < bytes.length) {{
      const tag = number(), kind = tag & 7
      const value = kind === 1 ? 8 : kind === 5 ? 4 : number()
      found[tag >>> 3] = value
      if (kind) at += value  // what is no number is passed over
    }}
    return found
  }}
  window.awaited = false
  window.WebSocket = class extends WebSocket {{
    constructor(...where) {{
      super(...where)
      this.addEventListener('message', heard => {{
        if (heard.data.byteLength > 500) return
        const how = fieldsOf(new Uint8Array(heard.data))[{SCRIPT_FINISHED}]
        if (how !== undefined && how !== {EARLY_FOR_RERUN}) window.awaited = false
      }})
      this.addEventListener('close', () => {{ window.awaited = false }})
    }}
    send(said) {{
      if ({RERUN_SCRIPT} in fieldsOf(said)) window.awaited = true
      super.send(said)
    }}
  }}
}})()
"""
LONGEST_MS = 60_000


def listening(browser: Any, patience_ms: int) -> Any:
    """The browser: what it opens listens from now on, and waits for so long where nothing else is said."""
    opens = browser.new_context

    def new_context(**how: Any) -> Any:
        context = opens(**how)
        context.set_default_timeout(patience_ms)
        context.add_init_script(LISTEN)
        return context

    browser.new_context = new_context
    return browser


def until_answered(tab: Any) -> None:
    """Waits until the server has done what was last asked of it, and the page has heard so."""
    from playwright.sync_api import TimeoutError as Unanswered

    try:
        tab.wait_for_function("!window.awaited", timeout=LONGEST_MS, polling=20)
    except Unanswered:  # a part of the page that is gone is never told to have ended
        return
    tab.evaluate("new Promise(heard => setTimeout(heard, 0))")
