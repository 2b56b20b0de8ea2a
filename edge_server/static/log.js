// The words of a conversation, a message each, and what a screen reader is told of them.

import { cut } from "./timeline.js";
import { element, struck } from "./picture.js";

const ENDS = {
  cancelled: "interrupted",
  incomplete: "as long as it may be",
  failed: "failed",
};

export class Log {
  constructor({ list, frame, welcome, live }) {
    this._list = list;
    this._frame = frame;
    this._welcome = welcome;
    this._live = live;
    this._drawn = new Map(); // item → {message, key}
    this._following = true; // the newest words are in sight, until somebody scrolls back
    frame.addEventListener("scroll", () => {
      this._following = frame.scrollTop + frame.clientHeight >= frame.scrollHeight - 8;
    });
    new ResizeObserver(() => this._follow()).observe(frame);
  }

  show(timeline) {
    const now = new Set(timeline.items);
    for (const [item, { message }] of this._drawn) {
      if (now.has(item)) continue;
      message.remove();
      this._drawn.delete(item);
    }
    for (const item of timeline.items) {
      const key = `${item.text.length} ${item.kept} ${item.status}`;
      let drawn = this._drawn.get(item);
      if (drawn?.key === key) continue;
      if (!drawn) {
        drawn = { message: element("li", { class: `message ${item.role}` }) };
        this._drawn.set(item, drawn);
        this._list.append(drawn.message);
      }
      drawn.key = key;
      drawn.message.replaceChildren(...content(item));
    }
    this._showDraft(timeline.pending);
    this._welcome.hidden = timeline.items.length > 0 || Boolean(timeline.pending);
    this._follow();
  }

  _follow() {
    if (this._following) this._frame.scrollTop = this._frame.scrollHeight;
  }

  /** Has a screen reader say it: whole phrases, one behind the other. */
  announce(text) {
    if (text.trim()) this._live.replaceChildren(text.trim());
  }

  _showDraft(text) {
    this._draft?.remove();
    if (!text) return;
    this._draft = element("li", { class: "message user draft" }, speaker("You, not said yet: "), text);
    this._list.append(this._draft);
  }
}

function content(item) {
  const parts = [speaker(item.role === "user" ? "You: " : "Assistant: "), cut(item.text, 0, item.kept ?? Infinity).trimStart()];
  const rest = item.kept === null ? "" : cut(item.text, item.kept);
  if (rest) parts.push(...struck(rest));
  if (ENDS[item.status]) parts.push(element("span", { class: "note" }, ENDS[item.status]));
  return parts;
}

function speaker(name) {
  return element("span", { class: "hidden" }, name);
}
